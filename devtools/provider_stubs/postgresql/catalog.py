"""What the catalog says of roles, databases and schemas."""

from typing import Any

from devtools.provider_stubs.errors import Failure
from devtools.provider_stubs.postgresql.connection import Transaction

PUBLIC = "public"
"""The name under which resources mean PUBLIC, which is no role."""

PRESENT_ROLE = "SELECT true FROM pg_roles WHERE rolname = %s"
PRESENT_DATABASE = "SELECT true FROM pg_database WHERE datname = %s"
PRESENT_SCHEMA = "SELECT true FROM pg_namespace WHERE nspname = %s"

ROLE_ID = "SELECT oid::bigint FROM pg_roles WHERE rolname = %s"
SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = %s"
MEMBERSHIP = """
    SELECT true FROM pg_auth_members
    WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = %s)
      AND member = (SELECT oid FROM pg_roles WHERE rolname = %s)"""
DATABASE_OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
SCHEMA_OWNER = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s"
TABLE_OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = %s"


def exists(transaction: Transaction, presence: str, name: str) -> bool:
    return transaction.value(presence, name) is not None


def role_id(transaction: Transaction, role: str) -> int:
    """A role's oid, 0 for PUBLIC, as access lists have it."""
    return 0 if role == PUBLIC else int(_found(transaction.value(ROLE_ID, role), f"the role {role}"))


def is_superuser(transaction: Transaction, role: str) -> bool:
    return bool(_found(transaction.value(SUPERUSER, role), f"the role {role}"))


def is_member(transaction: Transaction, member: str, role: str) -> bool:
    """Whether one role may become another: from PostgreSQL 16 a membership alone does not mean that."""
    settable = " AND set_option" if transaction.major >= 16 else ""
    return transaction.value(MEMBERSHIP + settable, role, member) is not None


def database_owner(transaction: Transaction, database: str) -> str:
    return str(_found(transaction.value(DATABASE_OWNER, database), f"the database {database}"))


def schema_owners(transaction: Transaction, schema: str, database: str, *, with_tables: bool) -> list[str]:
    """The owner of a schema, after those of its tables where asked for; roles that can be granted, all of them."""
    owners = [owner for (owner,) in transaction.rows(TABLE_OWNERS, schema)] if with_tables else []
    owners.append(str(_found(transaction.value(SCHEMA_OWNER, schema), f"the schema {schema}")))
    real = (database_owner(transaction, database) if each == "pg_database_owner" else each for each in owners)
    return list(dict.fromkeys(real))


def _found(value: Any, what: str) -> Any:
    if value is None:
        raise Failure(f"{what} does not exist")
    return value
