"""The server's version and the settings on which isolation rests."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.stack_file_edits import lines
from engarde.errors import LoginRefused, Why
from engarde.output.findings import Finding, Remedy
from engarde.server.catalog.rows import ServerSetting
from engarde.util.quoting import statement

SUPPORTED = range(13, 19)
"""Majors of PostgreSQL."""

ENCRYPTED = ("require", "verify-ca", "verify-full")
RELOAD = "SELECT pg_reload_conf();"
OF_THE_ROLE = ("user", "database user")
"""Sources of a setting that is the admin's alone."""

START_TLS = f"ALTER SYSTEM SET ssl = on; -- server.crt and server.key lie in the data directory\n{RELOAD}"


def unsupported(major: int) -> Finding | None:
    """A finding where the checks would not understand the server."""
    if major in SUPPORTED:
        return None
    remedy = Remedy("edit", lines("server", {"host": f"a server of PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}"}))
    return Finding(
        "server",
        "version",
        f"PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}",
        f"PostgreSQL {major}, not examined",
        remedy,
    )


def without_tls(stack: DatabaseStack, refusal: LoginRefused) -> Finding | None:
    """A finding where the admin is not let in because its connection has to be encrypted and cannot be."""
    if refusal.why is not Why.NO_TLS:
        return None
    wanted = f"TLS, for engarde:server.sslmode is {stack.server.sslmode}"
    return Finding("server", "ssl", wanted, "the server has none", Remedy("sql", START_TLS, by_superuser=True))


@check(
    Question(
        "server",
        "its version, and the settings that let roles read what is not theirs, weaken passwords, or keep services out",
        "sql",
        "sets them back",
    ),
    group="server",
    scope="server",
    stage=Stage.SERVER,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Settings that let roles read what is not theirs, weaken passwords, or keep services out."""
    asked = observed.server_settings("lo_compat_privileges", "password_encryption", "ssl")
    settings = {setting.name: setting for setting in asked}
    objects = settings["lo_compat_privileges"]
    if objects.value == "on" and objects.source not in OF_THE_ROLE:
        yield _setting(observed, objects, "off", "on: every role reads and writes all large objects")
    passwords = settings["password_encryption"]
    # Up to 13 it is the default, and what the stack sends are verifiers.
    if passwords.value == "md5" and passwords.source not in ("default", *OF_THE_ROLE):
        actual = "md5: a password set by hand is stored so that who reads it can log in with it"
        yield _setting(observed, passwords, "scram-sha-256", actual)
    if settings["ssl"].value == "off":
        yield from _tls_of_services(observed)


def _setting(observed: Observed, setting: ServerSetting, expected: str, actual: str) -> Finding:
    if setting.source == "database":
        heal = statement("ALTER DATABASE {} RESET {}", observed.stack.server.database, setting.name)
    else:
        heal = f"{statement('ALTER SYSTEM RESET {}', setting.name)}\n{RELOAD}"
    # The password of a role outside the stack may be set by a program that counts on it, and the like.
    remedy = Remedy("sql", heal, by_superuser=not observed.admin.superuser)
    return Finding("server", setting.name, expected, actual, remedy)


def _tls_of_services(observed: Observed) -> Iterator[Finding]:
    address, server = observed.stack.service_address, observed.stack.server
    # At another address something in between may do it for the server.
    same = (address.host, address.port) == (server.host, server.port) and not observed.pooled
    if same and address.sslmode in ENCRYPTED:
        wanted = f"TLS, for engarde:serviceAddress.sslmode is {address.sslmode}"
        remedy = Remedy("sql", START_TLS, by_superuser=not observed.admin.superuser)
        yield Finding("server", "ssl", wanted, "ssl is off: no service can connect with its URL", remedy)
