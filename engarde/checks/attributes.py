"""The stack's roles: their attributes, limits and settings."""

from collections.abc import Iterator

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.naming import about, up
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import milliseconds, split_path
from engarde.output.findings import Finding, Remedy, Verb
from engarde.server import role_settings
from engarde.server.catalog import Catalog, Role, Setting, in_force
from engarde.util.quoting import quoted

OFF = {
    "superuser": "SUPERUSER",
    "createrole": "CREATEROLE",
    "createdb": "CREATEDB",
    "replication": "REPLICATION",
    "bypassrls": "BYPASSRLS",
}

FOR_ALL = (
    "role",
    "session_authorization",
    "lo_compat_privileges",
    "default_transaction_read_only",
    "row_security",
    "session_preload_libraries",
    "local_preload_libraries",
)
TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout")
FIRST = {
    "default_transaction_read_only": ("SET default_transaction_read_only = off", "SET transaction_read_only = off"),
    "role": ("SET ROLE NONE",),
}
"""What the session that resets a setting has to do first, since the setting applies to it, too."""


@check(
    Question("role", "a declared role that does not exist", "command", "`bin/pulumi up --refresh` creates it"),
    Question(
        "attributes",
        "a role of the stack with other attributes than `LOGIN` and `INHERIT`",
        "sql",
        "`ALTER ROLE`",
        safe=True,
    ),
    Question(
        "connection limit",
        "a role whose limit is not the declared one; a database whose limit is lower than the sum of its roles' limits",
        "sql",
        "`ALTER ROLE` or `ALTER DATABASE`; sessions above a lowered limit stay open",
        safe=True,
    ),
    Question(
        "setting",
        "a setting of a role of the stack that is not as declared; a setting of the database or of all roles that"
        " changes which role a session acts as, or what it may read or write",
        "sql",
        "`SET` or `RESET`",
    ),
    group="isolation",
    stage=Stage.ROLES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    catalog = observed.then
    admin = admin_capabilities(stack, catalog)
    for login in stack.logins:
        role = catalog.roles.get(login.role)
        if login.role in stack.guests:
            # The role is checked with another database of the stack; only its settings in this database are not.
            here = (setting for setting in catalog.settings if setting.role == login.role and setting.database)
            yield from (_undeclared(setting, catalog, admin, about(login)) for setting in here)
            continue
        if role is None:
            yield Finding("role", login.role, "exists", "does not exist", up(stack), about(login))
            continue
        yield from _attributes(login, role, admin)
        yield from _settings(login, stack, catalog, admin)
    yield from _for_all(stack, catalog, admin)


def _attributes(login: Service | Analytics, role: Role, admin: AdminCapabilities) -> Iterator[Finding]:
    taken = [word for name, word in OFF.items() if getattr(role, name)]
    missing = [word for word, given in (("LOGIN", role.login), ("INHERIT", role.inherit)) if not given]
    wrong, expected = [*taken, *(f"NO{word}" for word in missing)], [*(f"NO{word}" for word in taken), *missing]
    # Only a superuser may take one of these away from a role.
    by_superuser = bool({"SUPERUSER", "REPLICATION", "BYPASSRLS"} & set(wrong))
    if role.expires:
        wrong.append("VALID UNTIL a date" + (" that has passed" if role.expired else ""))
        expected.append("VALID UNTIL 'infinity'")
    if wrong:
        alter, verb = f"ALTER ROLE {quoted(role.name)} {' '.join(expected)}", Verb.DEMOTE if taken else Verb.SET
        heal = admin.sql(verb, alter, superusers=by_superuser, safe=not taken)
        yield Finding("attributes", role.name, ", ".join(expected), ", ".join(wrong), heal, about(login))
    if role.connection_limit != login.connection_limit:
        actual = "none" if role.connection_limit < 0 else str(role.connection_limit)
        alter = f"ALTER ROLE {quoted(role.name)} CONNECTION LIMIT {login.connection_limit}"
        heal = admin.sql(Verb.SET, alter, safe=0 <= role.connection_limit < login.connection_limit)
        yield Finding("connection limit", role.name, str(login.connection_limit), actual, heal, about(login))


def _settings(
    login: Service | Analytics, stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities
) -> Iterator[Finding]:
    concerned, by_the_program = about(login), role_settings.declared(login, stack.server)
    # The provider sets timeouts in milliseconds (a timeout of 0 is not set at all), and a service's search_path.
    path = {"search_path": f"{login.schema_}, {PUBLIC}"} if isinstance(login, Service) else {}
    declared = {**{name: str(getattr(login, name)) for name in TIMEOUTS}, **path, **by_the_program}
    for name, expected in declared.items():
        found = in_force(catalog.settings, name, login.role)
        if not _is_as(login, name, expected, found):
            # A setting in one database overrides the role's own, which overrides that of all roles.
            if found and (found.database if found.role else name not in by_the_program):
                heal = _undone(found, catalog, admin)
            else:
                heal = admin.sql(Verb.SET, _again(login, name, expected))
            actual = f"{found.value}{_whose(found)}" if found else "not set"
            yield Finding("setting", f"{name} of {login.role}", expected, actual, heal, concerned)
    for extra in catalog.settings:
        if extra.role == login.role and extra.name not in declared and not _harmless(extra, login, stack):
            yield _undeclared(extra, catalog, admin, concerned)


def _is_as(login: Service | Analytics, name: str, expected: str, found: Setting | None) -> bool:
    if name in TIMEOUTS:
        return (milliseconds(found.value) if found else 0) == int(expected)
    if name == "search_path" and isinstance(login, Service):
        return found is not None and split_path(found.value) == (login.schema_, PUBLIC)
    return found is not None and role_settings.same(name, found.value, expected)


def _again(login: Service | Analytics, name: str, expected: str) -> str:
    """The statement that sets the declared value on a role."""
    alter = f"ALTER ROLE {quoted(login.role)}"
    if name in TIMEOUTS:
        return f"{alter} RESET {name}" if expected == "0" else f"{alter} SET {name} = {expected}"
    if name == "search_path" and isinstance(login, Service):
        return f"{alter} SET search_path TO {quoted(login.schema_)}, {PUBLIC}"
    return role_settings.assignment(login.role, name, expected)


def _harmless(setting: Setting, login: Service | Analytics, stack: DatabaseStack) -> bool:
    """Whether it is the declared limit, set by a superuser because the stack's admin may not set it."""
    return (
        login.temp_file_limit != 0
        and setting.name == role_settings.TEMPORARY_FILES
        and setting.name not in role_settings.managed(stack.server)
        and role_settings.same(setting.name, setting.value, f"{login.temp_file_limit}MB")
    )


def _undeclared(setting: Setting, catalog: Catalog, admin: AdminCapabilities, concerned: frozenset[str]) -> Finding:
    actual, heal = f"{setting.value}{_whose(setting)}", _undone(setting, catalog, admin)
    return Finding("setting", f"{setting.name} of {setting.role}", "not declared", actual, heal, concerned)


def _for_all(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    """Settings and limits of the database or the server that undo isolation or stop services."""
    for setting in catalog.settings:
        if setting.role is None and setting.name in FOR_ALL and (setting.database or stack.server_wide):
            where = f"database {setting.database}" if setting.database else "every role"
            heal = _undone(setting, catalog, admin)
            yield Finding("setting", f"{setting.name} of {where}", "not declared", setting.value, heal)
    found, total = catalog.databases[stack.server.database], sum(login.connection_limit for login in stack.logins)
    if 0 <= found.connection_limit < total:
        alter = f"ALTER DATABASE {found.identity} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1"
        expected, actual = f"none, or at least {total} (the sum of the roles' limits)", str(found.connection_limit)
        heal = admin.sql(Verb.SET, alter, of=(found.owner,), safe=True)
        yield Finding("connection limit", f"database {found.name}", expected, actual, heal)


def _whose(setting: Setting) -> str:
    if setting.role is None:
        return f", set on database {setting.database}" if setting.database else ", set for every role"
    return f", set in database {setting.database}" if setting.database else ""


def _undone(setting: Setting, catalog: Catalog, admin: AdminCapabilities) -> Remedy:
    name, superusers = quoted(setting.name), setting.superusers
    if setting.role:
        inside = f" IN DATABASE {quoted(setting.database)}" if setting.database else ""
        return admin.sql(Verb.SET, f"ALTER ROLE {quoted(setting.role)}{inside} RESET {name}", superusers=superusers)
    first = FIRST.get(setting.name, ())
    if setting.database:
        owner = catalog.databases[setting.database].owner
        reset = f"ALTER DATABASE {quoted(setting.database)} RESET {name}"
        return admin.sql(Verb.SET, *first, reset, of=(owner,), superusers=superusers)
    return admin.sql(Verb.SET, *first, f"ALTER ROLE ALL RESET {name}", superusers=True)
