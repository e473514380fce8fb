"""What the server knows of a role."""

from collections.abc import Sequence

from devtools.provider_stubs.errors import Failure
from devtools.provider_stubs.postgresql.catalog import is_superuser
from devtools.provider_stubs.postgresql.connection import Server, Transaction
from devtools.provider_stubs.values import Plain, Properties

ROLE = """
    SELECT rolname, rolconnlimit, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolbypassrls,
           rolreplication, coalesce(rolvaliduntil::text, 'infinity'), coalesce(rolconfig, '{}'),
           array(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = pg_roles.oid)
    FROM pg_roles WHERE rolname = %s"""
COLUMNS = (
    "name",
    "connectionLimit",
    "superuser",
    "createDatabase",
    "createRole",
    "inherit",
    "login",
    "bypassRowLevelSecurity",
    "replication",
    "validUntil",
)
STORED_VERIFIER = "SELECT coalesce(passwd, '') FROM pg_shadow WHERE usename = %s"
VERIFIERS = ("SCRAM-SHA-256", "md5")


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


def _settings(entries: Sequence[str]) -> dict[str, Plain]:
    settings = dict(entry.split("=", 1) for entry in entries)
    path = settings.get("search_path")
    return {
        "searchPaths": [schema.strip('"') for schema in path.split(", ")] if path is not None else [],
        "statementTimeout": _milliseconds(settings, "statement_timeout"),
        "idleInTransactionSessionTimeout": _milliseconds(settings, "idle_in_transaction_session_timeout"),
        "assumeRole": settings.get("role", ""),
    }


def _milliseconds(settings: dict[str, str], name: str) -> int:
    """A time without a unit, all that the resource can express."""
    try:
        return int(settings.get(name, "0"))
    except ValueError:
        raise Failure(f"error reading {name}: {settings[name]} is no number of milliseconds") from None


def _password(server: Server, transaction: Transaction, role: Properties) -> str:
    """The recorded password, or the stored verifier where the two can be compared and differ."""
    recorded = role.text("password")
    if not role.flag("login") or not server.superuser:
        return recorded
    if not is_superuser(transaction, transaction.value("SELECT current_user")):
        raise Failure(f"{server.user} is no superuser and cannot read passwords: say so to the provider")
    stored = str(transaction.value(STORED_VERIFIER, role.text("id")) or "")
    in_clear = not recorded.startswith(VERIFIERS)
    return recorded if in_clear and stored.startswith(VERIFIERS[0]) else stored
