"""`postgresql:index/role:Role`: a role with its attributes, password, memberships and settings; and `GrantRole`."""

from collections.abc import Sequence

from psycopg.sql import SQL, Identifier, Literal

from devtools.provider_stubs.postgresql.catalog import grant_role, is_superuser, lock_role, member_of, revoke_role
from devtools.provider_stubs.postgresql.connection import Server, Statement, Transaction
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Failure, Plain, Properties

SWITCHES = {
    "superuser": "SUPERUSER",
    "createDatabase": "CREATEDB",
    "createRole": "CREATEROLE",
    "inherit": "INHERIT",
    "login": "LOGIN",
    "bypassRowLevelSecurity": "BYPASSRLS",
    "replication": "REPLICATION",
}
"""A property and the word that turns it on, or off with NO before it; in the order of CREATE ROLE, and of `ROLE`."""

ATTRIBUTES = sorted([*SWITCHES, "connectionLimit", "validUntil"])
"""The properties that ALTER ROLE changes one by one; in its order."""

TIMEOUTS = {
    "statementTimeout": "statement_timeout",
    "idleInTransactionSessionTimeout": "idle_in_transaction_session_timeout",
}

ROLE = """
    SELECT rolname, rolconnlimit, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolbypassrls,
           rolreplication, coalesce(rolvaliduntil::text, 'infinity'), coalesce(rolconfig, '{}'),
           array(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = pg_roles.oid)
    FROM pg_roles WHERE rolname = %s"""
COLUMNS = ("name", "connectionLimit", *SWITCHES, "validUntil")
STORED_VERIFIER = "SELECT coalesce(passwd, '') FROM pg_shadow WHERE usename = %s"
VERIFIERS = ("SCRAM-SHA-256", "md5")
MEMBERSHIPS = """
    SELECT pg_get_userbyid(roleid) FROM pg_auth_members
    WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %s)"""
ADMIN_OPTION = """
    SELECT admin_option FROM pg_auth_members
    WHERE pg_get_userbyid(member) = %s AND pg_get_userbyid(roleid) = %s"""


def create(server: Server, planned: Properties) -> Properties:
    name = planned.text("name")
    attributes = ("validUntil", "connectionLimit", *SWITCHES)
    options = [_attribute(planned, attribute) for attribute in attributes]
    if password := planned.text("password"):
        option = SQL("ENCRYPTED PASSWORD {}" if planned.flag("encryptedPassword") else "UNENCRYPTED PASSWORD {}")
        options.insert(0, option.format(Literal(password)))
    with server.transaction() as transaction:
        statement = SQL("CREATE ROLE {} WITH {}").format(Identifier(name), SQL(" ").join(options))
        transaction.change(statement, f"error creating role {name}")
        _grant_memberships(transaction, planned)
        _set(transaction, Properties({}), planned)
    return planned.with_(id=name)


def read(server: Server, known: Properties) -> Properties | None:
    with server.transaction() as transaction:
        rows = transaction.rows(ROLE, known.text("id"))
        if not rows:
            return None
        *attributes, settings, memberships = rows[0]
        found = known.with_(
            **dict(zip(COLUMNS, attributes, strict=True)),
            **_settings(settings),
            id=attributes[0],
            roles=memberships,
            encryptedPassword=True,
            skipDropRole=known.flag("skipDropRole"),
            skipReassignOwned=known.flag("skipReassignOwned"),
        )
        return found.with_(password=_password(server, transaction, found)) if known.text("password") else found


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
        for option in ATTRIBUTES:
            if prior.values.get(option) != planned.values.get(option):
                change = SQL("WITH {}" if option in SWITCHES else "{}").format(_attribute(planned, option))
                transaction.change(_alter(name, change), f"error updating role {option}")
        for (role,) in transaction.rows(MEMBERSHIPS, name):
            transaction.change(revoke_role(role, name), f"could not revoke role {role} from {name}")
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


def _attribute(planned: Properties, name: str) -> Statement:
    match name:
        case "validUntil":
            return SQL("VALID UNTIL {}").format(Literal(planned.text(name)))
        case "connectionLimit":
            return SQL(f"CONNECTION LIMIT {planned.number(name)}")
        case switch:
            return SQL(SWITCHES[switch] if planned.flag(switch) else f"NO{SWITCHES[switch]}")


def _grant_memberships(transaction: Transaction, planned: Properties) -> None:
    name = planned.text("name")
    for role in planned.hashed("roles"):
        transaction.change(grant_role(role, name), f"could not grant role {role} to {name}")


def _set(transaction: Transaction, prior: Properties, planned: Properties) -> None:
    """The role's settings: always its search path, the others if they differ from what is recorded."""
    name = planned.text("name")
    path = planned.listed("searchPaths")
    if any(", " in schema for schema in path):
        raise Failure("no schema in searchPaths may hold a comma and a space: it could not be read back")
    schemas = SQL(", ").join(map(Identifier, path)) if path else SQL("DEFAULT")
    transaction.change(_alter(name, SQL("SET search_path TO {}").format(schemas)), "could not set search_path")
    for timeout, setting in TIMEOUTS.items():
        limit = planned.number(timeout)
        if limit != prior.number(timeout):
            change = SQL(f"SET {setting} TO {{}}").format(Literal(limit)) if limit else SQL(f"RESET {setting}")
            transaction.change(_alter(name, change), f"could not set {timeout}")
    role = planned.text("assumeRole")
    if role != prior.text("assumeRole"):
        assume = SQL("SET ROLE TO {}").format(Identifier(role)) if role else SQL("RESET ROLE")
        transaction.change(_alter(name, assume), f"could not set the role to assume of {name}")


def _alter(name: str, change: Statement) -> Statement:
    return SQL("ALTER ROLE {} {}").format(Identifier(name), change)


def _settings(entries: Sequence[str]) -> dict[str, Plain]:
    settings = dict(entry.split("=", 1) for entry in entries)
    path = settings.get("search_path")
    return {
        "searchPaths": [schema.strip('"') for schema in path.split(", ")] if path is not None else [],
        **{timeout: _milliseconds(settings, setting) for timeout, setting in TIMEOUTS.items()},
        "assumeRole": settings.get("role", ""),
    }


def _milliseconds(settings: dict[str, str], name: str) -> int:
    """A time without a unit, all that the resource can express."""
    try:
        return int(settings.get(name, "0"))
    except ValueError:
        raise Failure(f"error reading {name}: {settings[name]} is not a number of milliseconds") from None


def _password(server: Server, transaction: Transaction, role: Properties) -> str:
    """The recorded password, or the stored verifier if the two can be compared and differ."""
    recorded = role.text("password")
    if not role.flag("login") or not server.superuser:
        return recorded
    if not is_superuser(transaction, transaction.value("SELECT current_user")):
        raise Failure(
            f"{server.user} is not a superuser and cannot read passwords; set `superuser` of the provider to false"
        )
    stored = str(transaction.value(STORED_VERIFIER, role.text("id")) or "")
    in_clear = not recorded.startswith(VERIFIERS)
    return recorded if in_clear and stored.startswith(VERIFIERS[0]) else stored


def join(server: Server, planned: Properties) -> Properties:
    option = SQL(" WITH ADMIN OPTION") if planned.flag("withAdminOption") else SQL("")
    with server.transaction() as transaction:
        _leave(transaction, planned)
        statement = grant_role(planned.text("grantRole"), planned.text("role")) + option
        transaction.change(statement, "could not execute grant query")
    return _membership(planned)


def read_membership(server: Server, known: Properties) -> Properties | None:
    with server.transaction() as transaction:
        rows = transaction.rows(ADMIN_OPTION, known.text("role"), known.text("grantRole"))
    return _membership(known.with_(withAdminOption=rows[0][0])) if rows else None


def leave(server: Server, known: Properties) -> None:
    with server.transaction() as transaction:
        _leave(transaction, known)


def _leave(transaction: Transaction, membership: Properties) -> None:
    revoke = revoke_role(membership.text("grantRole"), membership.text("role"))
    transaction.change(revoke, "could not execute revoke query")


def _membership(membership: Properties) -> Properties:
    """With its id."""
    admin = str(membership.flag("withAdminOption")).lower()
    return membership.with_(id=f"{membership.text('role')}_{membership.text('grantRole')}_{admin}")


MEMBERSHIP = ResourceType(
    name="postgresql:index/grantRole:GrantRole",
    properties=(
        Property("role", required=True, replaces=True),
        Property("grantRole", required=True, replaces=True),
        flag("withAdminOption", replaces=True),
    ),
    create=join,
    read=read_membership,
    delete=leave,
)

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
