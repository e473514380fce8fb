"""Advisory locks that keep operations on the same role or database apart, the official plugin's included."""

from psycopg.sql import SQL

from toolchain.standins.postgresql.connection import Transaction

NO_TIMEOUT = SQL("SET LOCAL statement_timeout = 0")


def lock_role(transaction: Transaction, role: str) -> None:
    """Waits for a role and its members, for as long as it takes."""
    transaction.change(NO_TIMEOUT)
    transaction.rows("SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_roles WHERE rolname = %s", role)
    transaction.rows(
        "SELECT pg_advisory_xact_lock(member::bigint) FROM pg_auth_members"
        " JOIN pg_roles ON roleid = pg_roles.oid WHERE rolname = %s",
        role,
    )


def lock_database(transaction: Transaction, database: str) -> None:
    """Waits for a database, for as long as it takes."""
    transaction.change(NO_TIMEOUT)
    transaction.rows("SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_database WHERE datname = %s", database)
