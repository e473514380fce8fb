"""Advisory locks that keep operations on the same role or database apart, the official plugin's included."""

from devtools.provider_stubs.postgresql.connection import Transaction


def lock_role(transaction: Transaction, role: str) -> None:
    """Waits for a role and its members, as long as the session's `lock_timeout` lets it."""
    transaction.rows("SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_roles WHERE rolname = %s", role)
    transaction.rows(
        "SELECT pg_advisory_xact_lock(member::bigint) FROM pg_auth_members"
        " JOIN pg_roles ON roleid = pg_roles.oid WHERE rolname = %s",
        role,
    )


def lock_database(transaction: Transaction, database: str) -> None:
    """Waits for a database, as long as the session's `lock_timeout` lets it."""
    transaction.rows("SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_database WHERE datname = %s", database)
