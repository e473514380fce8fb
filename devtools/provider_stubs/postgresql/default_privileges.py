"""`postgresql:index/defaultPrivileges:DefaultPrivileges`: the privileges on what a role will make."""

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import (
    corrected,
    keywords,
    lock_role,
    member_of,
    present,
    refuse_foreign,
    role_id,
)
from devtools.provider_stubs.postgresql.connection import Server, Statement, Transaction
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Failure, Properties

CATALOG_TYPES = {"table": "r", "sequence": "S", "function": "f", "routine": "f", "type": "T", "schema": "n"}

FOUND = """
    SELECT privilege_type FROM pg_default_acl
    LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
    CROSS JOIN aclexplode(defaclacl)
    WHERE defaclobjtype = %s AND grantee = %s AND pg_get_userbyid(grantor) = %s AND coalesce(nspname, '') = %s"""


def create(server: Server, planned: Properties) -> Properties:
    owner, privileges = planned.text("owner"), planned.hashed("privileges")
    if planned.text("schema") and planned.text("objectType") == "schema":
        raise Failure("default privileges on schemas are not set in a schema")
    if planned.flag("withGrantOption") and planned.text("role").lower() == "public":
        raise Failure("PUBLIC cannot be given the grant option")
    with server.transaction(planned.text("database")) as transaction:
        refuse_foreign(transaction, planned)
        lock_role(transaction, owner)
        with member_of(transaction, [owner]):
            _revoke(transaction, planned)
            if privileges:
                objects, role = _objects(planned), Identifier(planned.text("role"))
                grant = SQL("GRANT {} ON {} TO {}").format(keywords(privileges), objects, role)
                if planned.flag("withGrantOption"):
                    grant += SQL(" WITH GRANT OPTION")
                transaction.change(_alter(planned, grant), "could not alter default privileges")
    return _with_id(planned)


def read(server: Server, known: Properties) -> Properties | None:
    if not present(server, known):
        return None
    with server.transaction(known.text("database")) as transaction:
        lock_role(transaction, known.text("owner"))
        rows = transaction.rows(
            FOUND,
            CATALOG_TYPES[known.text("objectType")],
            role_id(transaction, known.text("role")),
            known.text("owner"),
            known.text("schema"),
        )
        if not rows and known.hashed("privileges"):
            return None
        return _with_id(corrected(transaction, known, {privilege for (privilege,) in rows}))


def delete(server: Server, known: Properties) -> None:
    owner = known.text("owner")
    with server.transaction(known.text("database")) as transaction:
        lock_role(transaction, owner)
        with member_of(transaction, [owner]):
            _revoke(transaction, known)


def _revoke(transaction: Transaction, wanted: Properties) -> None:
    role = Identifier(wanted.text("role"))
    revoke = SQL("REVOKE ALL ON {} FROM {}").format(_objects(wanted), role)
    transaction.change(_alter(wanted, revoke), "could not revoke default privileges")


def _alter(wanted: Properties, change: Statement) -> Statement:
    schema = wanted.text("schema")
    place = SQL("IN SCHEMA {}").format(Identifier(schema)) if schema else SQL("")
    return SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} {} {}").format(Identifier(wanted.text("owner")), place, change)


def _objects(wanted: Properties) -> Statement:
    return SQL(f"{wanted.text('objectType').upper()}S")


def _with_id(wanted: Properties) -> Properties:
    parts = [wanted.text(name) for name in ("role", "database", "schema", "owner", "objectType")]
    return wanted.with_(id="_".join(part or "noschema" for part in parts))


TYPE = ResourceType(
    name="postgresql:index/defaultPrivileges:DefaultPrivileges",
    properties=(
        Property("role", required=True, replaces=True),
        Property("database", required=True, replaces=True),
        Property("owner", required=True, replaces=True),
        Property("schema", replaces=True),
        Property("objectType", required=True, replaces=True, allowed=tuple(CATALOG_TYPES)),
        Property("privileges", Kind.SET, required=True),
        flag("withGrantOption", replaces=True),
    ),
    create=create,
    read=read,
    update=lambda server, _prior, planned: create(server, planned),
    delete=delete,
)
