"""Roles, databases, schemas and privileges in the catalog; locks, and acting with the privileges of other roles."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from devtools.provider_stubs.postgresql.connection import Server, Transaction
from devtools.provider_stubs.values import Failure, Properties

PUBLIC = "public"
"""The name by which resources mean PUBLIC, which is not a role."""

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


def has_database(server: Server, database: str) -> bool:
    with server.transaction() as transaction:
        return exists(transaction, DATABASE_OWNER, database)


def role_id(transaction: Transaction, role: str) -> int:
    """A role's oid, 0 for PUBLIC, as access lists have it."""
    return 0 if role == PUBLIC else int(_found(transaction.value(ROLE_ID, role), f"the role {role}"))


def is_superuser(transaction: Transaction, role: str) -> bool:
    return bool(_found(transaction.value(SUPERUSER, role), f"the role {role}"))


def is_member(transaction: Transaction, member: str, role: str) -> bool:
    """Whether one role may become another; from PostgreSQL 16 on, a membership alone does not suffice."""
    settable = " AND set_option" if transaction.major >= 16 else ""
    return transaction.value(MEMBERSHIP + settable, role, member) is not None


def database_owner(transaction: Transaction, database: str) -> str:
    return str(_found(transaction.value(DATABASE_OWNER, database), f"the database {database}"))


def schema_owners(transaction: Transaction, schema: str, database: str, *, with_tables: bool) -> list[str]:
    """The owner of a schema, and on request those of its tables before it; only roles that can be granted."""
    owners = [owner for (owner,) in transaction.rows(TABLE_OWNERS, schema)] if with_tables else []
    owners.append(str(_found(transaction.value(SCHEMA_OWNER, schema), f"the schema {schema}")))
    real = (database_owner(transaction, database) if owner == "pg_database_owner" else owner for owner in owners)
    return list(dict.fromkeys(real))


def _found(value: Any, what: str) -> Any:
    if value is None:
        raise Failure(f"{what} does not exist")
    return value


def database_of(server: Server, properties: Properties) -> str:
    return properties.text("database") or server.database


def present(server: Server, known: Properties) -> bool:
    """Whether the database, the role and the schema that are named exist."""
    database, role, schema = known.text("database"), known.text("role"), known.text("schema")
    if not has_database(server, database):
        return False
    with server.transaction(database) as transaction:
        if role != PUBLIC and not exists(transaction, ROLE_ID, role):
            return False
        return not schema or exists(transaction, SCHEMA_OWNER, schema)


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


@contextmanager
def member_of(transaction: Transaction, roles: Iterable[str]) -> Iterator[None]:
    """Makes the user a member of roles for the block, unless it is one already.

    PostgreSQL has no circles: a role that is a member of the user stops to be one for the block.
    A block that fails leaves the rest to the transaction's end.
    """
    user = transaction.value("SELECT current_user")
    if is_superuser(transaction, user):
        yield
        return
    others = [role for role in roles if role != user and not is_superuser(transaction, role)]
    granted, revoked = [], []
    for role in others:
        if is_member(transaction, role, user):
            _revoke(transaction, user, role)
            revoked.append(role)
        if not is_member(transaction, user, role):
            _grant(transaction, role, user)
            granted.append(role)
    yield
    for role in granted:
        _revoke(transaction, role, user)
    for role in revoked:
        if exists(transaction, ROLE_ID, role):
            _grant(transaction, user, role)


def grant_role(role: str, member: str) -> Composed:
    return SQL("GRANT {} TO {}").format(Identifier(role), Identifier(member))


def revoke_role(role: str, member: str) -> Composed:
    return SQL("REVOKE {} FROM {}").format(Identifier(role), Identifier(member))


def _grant(transaction: Transaction, role: str, member: str) -> None:
    transaction.change(grant_role(role, member), f"error granting role {role} to {member}")


def _revoke(transaction: Transaction, role: str, member: str) -> None:
    transaction.change(revoke_role(role, member), f"error revoking role {role} from {member}")


OF_TYPE = {
    "database": ("CREATE", "CONNECT", "TEMPORARY"),
    "schema": ("CREATE", "USAGE"),
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
    "column": ("SELECT", "INSERT", "UPDATE", "REFERENCES"),
    "sequence": ("USAGE", "SELECT", "UPDATE"),
    "function": ("EXECUTE",),
    "routine": ("EXECUTE",),
    "type": ("USAGE",),
}
ALL = "ALL"
MAINTAIN = "MAINTAIN"
KEYWORDS = {ALL, MAINTAIN, *(privilege for privileges in OF_TYPE.values() for privilege in privileges)}


def privileges_of(transaction: Transaction, object_type: str) -> set[str]:
    """All privileges that objects of a type have on this server."""
    newer = {MAINTAIN} if object_type == "table" and transaction.major >= 17 else set()
    return {*OF_TYPE[object_type], *newer}


def refuse_foreign(transaction: Transaction, wanted: Properties) -> None:
    """Fails if a privilege does not exist for the object type."""
    object_type = wanted.text("objectType")
    for privilege in wanted.hashed("privileges"):
        if privilege not in privileges_of(transaction, object_type) | {ALL}:
            raise Failure(f"{privilege} is not an allowed privilege for object type {object_type}")


def corrected(transaction: Transaction, wanted: Properties, found: Collection[str]) -> Properties:
    """What was wanted or, if something else was found, that."""
    names = set(wanted.hashed("privileges"))
    if set(found) == names or (ALL in names and set(found) == privileges_of(transaction, wanted.text("objectType"))):
        return wanted
    return wanted.with_(privileges=sorted(set(found)))


def keywords(privileges: Collection[str]) -> Composed:
    """Privileges as a statement lists them."""
    if unknown := set(privileges) - KEYWORDS:
        raise Failure(f"{', '.join(sorted(unknown))}: no such privilege")
    return SQL(",").join(map(SQL, privileges))
