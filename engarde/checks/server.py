"""The server, as `doctor` checks it: its locks, a pooler in front of it, its version and settings, and the admin."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engarde.checks.naming import about
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.stack_file import lines
from engarde.errors import LoginRefused, Why
from engarde.output.findings import Finding, Remedy
from engarde.preflight import admin_privileges
from engarde.server.catalog import ServerSetting
from engarde.util.quoting import script, statement

SUPPORTED = range(13, 19)
"""Majors of PostgreSQL."""

LOCK_TABLE = "lock table"
ENCRYPTED = ("require", "verify-ca", "verify-full")
RELOAD = "SELECT pg_reload_conf();"
OF_THE_ROLE = ("user", "database user")
"""Sources of a setting that applies only to the admin."""

START_TLS = f"ALTER SYSTEM SET ssl = on; -- server.crt and server.key lie in the data directory\n{RELOAD}"


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A session of a role that holds over half of the server's lock table; the numbers are the role's."""

    process: int
    role: str
    locks: int
    advisory: int
    sessions: int

    def __str__(self) -> str:
        return f"{self.role} holds {self.locks} locks in {self.sessions} sessions, {self.advisory} of them advisory"


def lock_holders(observed: Observed) -> list[LockHolder]:
    """The first query of a session: any other one takes more locks, for which there may be no room."""
    return observed.session.query("lock_holders", LockHolder)


def ending_locks(stack: DatabaseStack, held: list[LockHolder]) -> Remedy:
    """Ends the sessions of the stack's own roles; it is not known what other sessions are for."""
    ours = [holder for holder in held if holder.role in stack.roles]
    if ours:
        return Remedy("sql", script(f"SELECT pg_terminate_backend({holder.process})" for holder in ours))
    return Remedy(
        "code",
        "wait until it has finished, or ask whose it is: this role is no service of this stack\n"
        "if it must run again, raise max_locks_per_transaction: a dump locks each table that it copies",
    )


@check(
    Question(
        LOCK_TABLE,
        "a role that holds over half of the server's lock table: when the table is full, nobody gets another lock or a"
        " new session",
        "sql",
        "ends the sessions that hold them, if they are the stack's",
    ),
    group="server",
    needs=("sessions",),
    scope="server",
    stage=Stage.FIRST,
)
def of_locks(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    expected = "at most half of the server's lock table"
    held = lock_holders(observed) if stack.server_wide else []
    for role in dict.fromkeys(holder.role for holder in held):
        of_role = [holder for holder in held if holder.role == role]
        heal = ending_locks(stack, of_role)
        yield Finding(LOCK_TABLE, role, expected, str(of_role[0]), heal, frozenset({role}))


@check(
    Question(
        "pooler",
        "a pooler at the address of `engarde:server`, and URLs that a pooler refuses",
        "edit",
        "the server's own address, or another `urlFormat`",
    ),
    group="server",
    needs=("the admin's session",),
    stage=Stage.SERVER,
)
def of_pooler(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """A pooler at the admin's address, and URLs that it refuses; an address for services only is not checked."""
    if not observed.pooled:
        return
    server, address = stack.server, stack.service_address
    where = f"{server.host}:{server.port}"
    remedy = Remedy("edit", lines("server", {"host": "the server's own host", "port": 5432}))
    actual = "a pooler, which breaks migrations and everything else that needs one session"
    yield Finding("pooler", where, "the server itself, at engarde:server", actual, remedy)
    if (address.host, address.port) != (server.host, server.port):
        return
    for service in stack.services:
        if service.url_format == "options":
            expected, actual = "a URL that the pooler accepts", "urlFormat options, which it refuses"
            edit = Remedy("edit", lines("services", {service.name: {"urlFormat": "plain"}}))
            yield Finding("pooler", service.name, expected, actual, edit, about(service))


def unsupported(major: int) -> Finding | None:
    """A finding if the checks do not know this version of the server."""
    if major in SUPPORTED:
        return None
    expected = f"PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}"
    remedy = Remedy("edit", lines("server", {"host": f"a server of {expected}"}))
    return Finding("server", "version", expected, f"PostgreSQL {major}, which was not checked", remedy)


def without_tls(stack: DatabaseStack, refusal: LoginRefused) -> Finding | None:
    """A finding if the admin cannot connect because the declared sslmode needs TLS and the server does not offer it."""
    if refusal.why is not Why.NO_TLS:
        return None
    wanted = f"TLS, because engarde:server.sslmode is {stack.server.sslmode}"
    return Finding("server", "ssl", wanted, "the server has no TLS", Remedy("sql", START_TLS, by_superuser=True))


@check(
    Question(
        "server",
        "an unsupported version, or a setting that lets roles read others' data, weakens passwords or keeps services"
        " out",
        "sql",
        "`RESET` of the setting",
    ),
    group="server",
    scope="server",
    stage=Stage.SERVER,
)
def of_settings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    asked = observed.server_settings("lo_compat_privileges", "password_encryption", "ssl")
    settings = {setting.name: setting for setting in asked}
    objects = settings["lo_compat_privileges"]
    if objects.value == "on" and objects.source not in OF_THE_ROLE:
        yield _setting(observed, objects, "off", "on: every role may read and write all large objects")
    passwords = settings["password_encryption"]
    # Up to 13 it is the default, and the stack only sends verifiers.
    if passwords.value == "md5" and passwords.source not in ("default", *OF_THE_ROLE):
        actual = "md5: anybody who can read the stored hash of a password set by hand can log in with it"
        yield _setting(observed, passwords, "scram-sha-256", actual)
    address, server = stack.service_address, stack.server
    # At another address, or behind a pooler, something in between may offer TLS.
    same = settings["ssl"].value == "off" and (address.host, address.port) == (server.host, server.port)
    if same and not observed.pooled and address.sslmode in ENCRYPTED:
        wanted = f"TLS, because engarde:serviceAddress.sslmode is {address.sslmode}"
        remedy = Remedy("sql", START_TLS, by_superuser=not observed.admin.superuser)
        yield Finding("server", "ssl", wanted, "ssl is off: no service can connect with its URL", remedy)


def _setting(observed: Observed, setting: ServerSetting, expected: str, actual: str) -> Finding:
    if setting.source == "database":
        heal = statement("ALTER DATABASE {} RESET {}", observed.stack.server.database, setting.name)
    else:
        heal = f"{statement('ALTER SYSTEM RESET {}', setting.name)}\n{RELOAD}"
    # Not safe: programs outside the stack may depend on the setting.
    remedy = Remedy("sql", heal, by_superuser=not observed.admin.superuser)
    return Finding("server", setting.name, expected, actual, remedy)


@check(
    Question(
        "admin",
        "an admin that is declared a superuser and is not, or that lacks a privilege that the stack needs",
        "sql",
        "a grant, run as a superuser",
    ),
    group="admin",
    needs=("catalogs", "the admin's session"),
    stage=Stage.ADMIN,
)
def of_admin(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    admin = observed.rights.admin
    concerned = frozenset({admin.name})
    if stack.server.superuser and not admin.superuser:
        remedy = Remedy("edit", lines("server", {"superuser": False}))
        yield Finding("admin", admin.name, "a superuser, as declared", "not a superuser", remedy, concerned)
    # Other checks find extensions that the server does not have, and objects that a service should own.
    declared = {extension.name for extension in stack.extensions}
    absent = declared - observed.offered(*declared).keys()
    there = {role.name for role in observed.rights.roles}
    owners = {service.schema_: service.role for service in stack.services if service.role in there}
    owned = tuple(
        replace(thing, owner=owners.get(thing.schema, thing.owner)) if thing.kind in ("table", "sequence") else thing
        for thing in observed.rights.owned
    )
    beside_them = replace(observed.rights, extensions=observed.rights.extensions | absent, owned=owned)
    for missing in admin_privileges.missing(stack, beside_them):
        remedy = Remedy("sql", missing.sql, by_superuser=True)
        expected = f"enough privileges {missing.needed}"
        yield Finding("admin", admin.name, expected, "lacks a privilege", remedy, concerned)
