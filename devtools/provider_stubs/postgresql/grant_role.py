"""`postgresql:index/grantRole:GrantRole`: a role's membership in another."""

from psycopg.sql import SQL

from devtools.provider_stubs.postgresql import catalog
from devtools.provider_stubs.postgresql.connection import Server, Statement
from devtools.provider_stubs.resource import Property, ResourceType, flag
from devtools.provider_stubs.values import Properties

FOUND = """
    SELECT admin_option FROM pg_auth_members
    WHERE pg_get_userbyid(member) = %s AND pg_get_userbyid(roleid) = %s"""


def create(server: Server, planned: Properties) -> Properties:
    option = SQL(" WITH ADMIN OPTION") if planned.flag("withAdminOption") else SQL("")
    statement = catalog.grant_role(planned.text("grantRole"), planned.text("role")) + option
    with server.transaction() as transaction:
        transaction.change(_revoke(planned), "could not execute revoke query")
        transaction.change(statement, "could not execute grant query")
    return _with_id(planned)


def read(server: Server, known: Properties) -> Properties | None:
    with server.transaction() as transaction:
        rows = transaction.rows(FOUND, known.text("role"), known.text("grantRole"))
    return _with_id(known.with_(withAdminOption=rows[0][0])) if rows else None


def delete(server: Server, known: Properties) -> None:
    with server.transaction() as transaction:
        transaction.change(_revoke(known), "could not execute revoke query")


def _revoke(membership: Properties) -> Statement:
    return catalog.revoke_role(membership.text("grantRole"), membership.text("role"))


def _with_id(membership: Properties) -> Properties:
    admin = str(membership.flag("withAdminOption")).lower()
    return membership.with_(id=f"{membership.text('role')}_{membership.text('grantRole')}_{admin}")


TYPE = ResourceType(
    name="postgresql:index/grantRole:GrantRole",
    properties=(
        Property("role", required=True, replaces=True),
        Property("grantRole", required=True, replaces=True),
        flag("withAdminOption", replaces=True),
    ),
    create=create,
    read=read,
    delete=delete,
)
