"""`postgresql:index/role:Role`: a role with its attributes, password, memberships and settings."""

from collections.abc import Iterator

from psycopg.sql import SQL, Identifier, Literal

from devtools.provider_stubs.errors import Failure
from devtools.provider_stubs.postgresql.connection import Server, Statement, Transaction
from devtools.provider_stubs.postgresql.locks import lock_role
from devtools.provider_stubs.postgresql.membership import member_of
from devtools.provider_stubs.postgresql.role_read import read
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Properties

SWITCHES = {
    "superuser": "SUPERUSER",
    "createDatabase": "CREATEDB",
    "createRole": "CREATEROLE",
    "inherit": "INHERIT",
    "login": "LOGIN",
    "bypassRowLevelSecurity": "BYPASSRLS",
    "replication": "REPLICATION",
}
"""A property and the word that turns it on, or off with NO before it; in the order of CREATE ROLE."""

ATTRIBUTES = sorted([*SWITCHES, "connectionLimit", "validUntil"])
"""The properties that ALTER ROLE changes one by one; in its order."""

TIMEOUTS = {
    "statementTimeout": SQL("statement_timeout"),
    "idleInTransactionSessionTimeout": SQL("idle_in_transaction_session_timeout"),
}

MEMBERSHIPS = """
    SELECT pg_get_userbyid(roleid) FROM pg_auth_members
    WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %s)"""


def create(server: Server, planned: Properties) -> Properties:
    name = planned.text("name")
    options = [*_password_option(planned), *(_attribute(planned, each) for each in ("validUntil", "connectionLimit"))]
    options += [_attribute(planned, each) for each in SWITCHES]
    with server.transaction() as transaction:
        statement = SQL("CREATE ROLE {} WITH {}").format(Identifier(name), SQL(" ").join(options))
        transaction.change(statement, f"error creating role {name}")
        _grant_memberships(transaction, planned)
        _set(transaction, Properties({}), planned)
    return planned.with_(id=name)


def update(server: Server, prior: Properties, planned: Properties) -> Properties:
    old, name = prior.text("name"), planned.text("name")
    with server.transaction() as transaction:
        lock_role(transaction, old)
        if name != old:
            transaction.change(_alter(old, SQL("RENAME TO {}").format(Identifier(name))), "error updating role NAME")
        password = planned.text("password")
        # A password stored as md5 holds the name.
        if password and (password != prior.text("password") or name != old):
            change = _alter(name, SQL("PASSWORD {}").format(Literal(password)))
            transaction.change(change, "error updating role password")
        for each in ATTRIBUTES:
            if prior.values.get(each) != planned.values.get(each):
                transaction.change(_alter(name, _changed_attribute(planned, each)), f"error updating role {each}")
        for (role,) in transaction.rows(MEMBERSHIPS, name):
            statement = SQL("REVOKE {} FROM {}").format(Identifier(role), Identifier(name))
            transaction.change(statement, f"could not revoke role {role} from {name}")
        _grant_memberships(transaction, planned)
        _set(transaction, prior, planned)
    return planned.with_(id=name)


def delete(server: Server, known: Properties) -> None:
    name = known.text("name")
    role = Identifier(name)
    with server.transaction() as transaction:
        lock_role(transaction, name)
        if not known.flag("skipReassignOwned"):
            with member_of(transaction, [name]):
                reassign = SQL("REASSIGN OWNED BY {} TO {}").format(role, Identifier(server.user))
                transaction.change(reassign, f"could not reassign owned by role {name} to {server.user}")
                transaction.change(SQL("DROP OWNED BY {}").format(role), f"could not drop owned by role {name}")
        if not known.flag("skipDropRole"):
            transaction.change(SQL("DROP ROLE {}").format(role), f"could not delete role {name}")


def _password_option(planned: Properties) -> Iterator[Statement]:
    if password := planned.text("password"):
        yield SQL("ENCRYPTED PASSWORD {}" if planned.flag("encryptedPassword") else "UNENCRYPTED PASSWORD {}").format(
            Literal(password)
        )


def _attribute(planned: Properties, name: str) -> Statement:
    match name:
        case "validUntil":
            return SQL("VALID UNTIL {}").format(Literal(planned.text(name)))
        case "connectionLimit":
            return SQL(f"CONNECTION LIMIT {planned.number(name)}")
        case switch:
            return SQL(SWITCHES[switch] if planned.flag(switch) else f"NO{SWITCHES[switch]}")


def _changed_attribute(planned: Properties, name: str) -> Statement:
    return SQL("WITH {}" if name in SWITCHES else "{}").format(_attribute(planned, name))


def _grant_memberships(transaction: Transaction, planned: Properties) -> None:
    name = planned.text("name")
    for role in planned.hashed("roles"):
        statement = SQL("GRANT {} TO {}").format(Identifier(role), Identifier(name))
        transaction.change(statement, f"could not grant role {role} to {name}")


def _set(transaction: Transaction, prior: Properties, planned: Properties) -> None:
    """The role's settings: its search path always, the rest where that differs from what is recorded."""
    name = planned.text("name")
    path = planned.listed("searchPaths")
    if any(", " in schema for schema in path):
        raise Failure("no schema in searchPaths may hold a comma and a space: it could not be read back")
    schemas = SQL(", ").join(map(Identifier, path)) if path else SQL("DEFAULT")
    transaction.change(_alter(name, SQL("SET search_path TO {}").format(schemas)), "could not set search_path")
    for each, setting in TIMEOUTS.items():
        limit = planned.number(each)
        if limit != prior.number(each):
            change = SQL("SET {} TO {}").format(setting, Literal(limit)) if limit else SQL("RESET {}").format(setting)
            transaction.change(_alter(name, change), f"could not set {each}")
    role = planned.text("assumeRole")
    if role != prior.text("assumeRole"):
        assume = SQL("SET ROLE TO {}").format(Identifier(role)) if role else SQL("RESET ROLE")
        transaction.change(_alter(name, assume), f"could not set the role to assume of {name}")


def _alter(name: str, change: Statement) -> Statement:
    return SQL("ALTER ROLE {} {}").format(Identifier(name), change)


TYPE = ResourceType(
    name="postgresql:index/role:Role",
    properties=(
        Property("name", required=True),
        Property("password", secret=True),
        Property("passwordWo", secret=True, given=False),
        Property("passwordWoVersion", given=False),
        Property("encrypted", given=False),
        Property("encryptedPassword", Kind.FLAG, default=True),
        Property("validUntil", default="infinity"),
        Property("connectionLimit", Kind.NUMBER, default=-1),
        flag("superuser"),
        flag("createDatabase"),
        flag("createRole"),
        Property("inherit", Kind.FLAG, default=True),
        flag("login"),
        flag("replication"),
        flag("bypassRowLevelSecurity"),
        flag("skipDropRole"),
        flag("skipReassignOwned"),
        Property("roles", Kind.SET),
        Property("searchPaths", Kind.LIST),
        Property("statementTimeout", Kind.NUMBER),
        Property("idleInTransactionSessionTimeout", Kind.NUMBER),
        Property("assumeRole"),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    importable=True,
)
