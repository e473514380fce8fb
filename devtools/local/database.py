"""What `make up` reads from the server, the user's or the embedded one, and makes there before the program runs."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from devtools.local import state
from devtools.local.state import Admin, remembered
from engarde.declaration.address import Address
from engarde.declaration.databases import databases
from engarde.declaration.model import Stack
from engarde.errors import Refused
from engarde.server.connect import connect
from engarde.server.credentials import Access
from engarde.server.session import NOTICING, SEARCH_PATH, limited
from engarde.util.terminal import tell

BACKEND = Path(__file__).with_name("backend.sql")
BACKEND_TABLES = ("users", "brands", "brand_users")


@contextmanager
def connected(admin: Admin, database: str | None = None) -> Iterator[Connection]:
    """A session that commits each statement.

    :raises Unreachable: when there is no answer or no entrance.
    """
    address = Address.model_construct(host=admin.host, port=admin.port, sslmode=admin.sslmode)
    login = Access(address, database or admin.database or admin.user, admin.user, admin.password)
    with connect(login, "change") as connection:
        # Here nothing is in one transaction; and no pooler comes before a server that databases are made on.
        for setting in (f"search_path = {SEARCH_PATH}", *NOTICING, *limited("change")):
            connection.execute(f"SET {setting}".encode())
        yield connection


def with_rights(admin: Admin) -> Admin:
    """The same login, with whether it is a superuser."""
    with connected(admin) as session:
        row = session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return replace(admin, superuser=bool(row and row[0]))


def to_take_over(admin: Admin, stack: Stack) -> list[str]:
    """The roles that a killed run was making, and that exist now.

    :raises Refused: when another role exists that the stack would make.
    """
    undecided = sorted({login.role for login in stack.logins if not login.adopt} - state.roles())
    with connected(admin, stack.server.database) as session:
        known = session.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [undecided])
        existing = {name for (name,) in known}
    return decide(existing, state.pending_roles(), str(admin))


def decide(existing: Collection[str], pending: Collection[str], where: str) -> list[str]:
    """The roles outside the state that a killed run was making; any other role is refused."""
    foreign = sorted(set(existing) - set(pending))
    if foreign:
        raise Refused(
            f"these roles exist on {where}, but are not in the state of stack local: {', '.join(foreign)}. Nothing was"
            " changed. Drop or rename them, or set `adopt: true` to take them over"
        )
    return sorted(existing)


def prepare(admin: Admin, stack: Stack) -> None:
    """Makes what exists in production before the stack: the database, the backend's tables, other roles."""
    with connected(admin, "postgres") as session:
        own = {database.server.database for database in databases(stack) if not database.elsewhere}
        _make(session, "DATABASE", own, "SELECT datname FROM pg_database")
        creators = {name for schema in stack.existing_schemas for name in schema.creators}
        outside = creators | {role.name for role in stack.outside_roles}
        _make(session, "ROLE", outside, "SELECT rolname FROM pg_roles")
    with connected(admin, stack.server.database) as session:
        schemas = {schema.name for schema in stack.existing_schemas}
        _make(session, "SCHEMA", schemas, "SELECT nspname FROM pg_namespace")
        if "public" in schemas and lacks_backend(session):
            session.execute(BACKEND.read_bytes())


def lacks_backend(session: Connection) -> bool:
    """Whether a table of the production backend is missing."""
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)"
    row = session.execute(tables, [list(BACKEND_TABLES)]).fetchone()
    return row != (len(BACKEND_TABLES),)


def _make(session: Connection, kind: str, wanted: set[str], listing: str) -> None:
    existing = {name for (name,) in session.execute(listing.encode())}
    for name in sorted(wanted - existing):
        session.execute(sql.SQL("CREATE {} {}").format(sql.SQL(kind), sql.Identifier(name)))


VARIABLE = "ENGARDE_POSTGRES_URL"
UNDERSTOOD = {"host", "port", "user", "password", "dbname", "sslmode"}


def users_server() -> Admin | None:
    """The server that the environment names, or named in an earlier run; None for the embedded one.

    :raises Refused: when the state holds resources on another server.
    :raises Unreachable: when it does not answer.
    """
    url, before = os.environ.pop(VARIABLE, ""), remembered()
    if not url:
        if not before or before.embedded:
            return None
        tell(f"Using your server {before}, which an earlier {VARIABLE} named; `make clean` forgets it")
        return before
    given = parse(url)
    if before and str(before) != str(given) and state.holds_resources():
        raise Refused(
            f"{VARIABLE} names {given}, but the resources of stack local are on {before}. Unset it; or, to move,"
            " run `bin/pulumi destroy --stack local` and `make clean` first"
        )
    tell(f"Using your server {given}")
    return with_rights(given)


def parse(url: str) -> Admin:
    """The parts of the URL.

    :raises Refused: when they are no address and login of a PostgreSQL server; names no value of it.
    """
    try:
        parts = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except psycopg.ProgrammingError:
        parts = {}
    missing = sorted({"host", "user", "password", "dbname"} - parts.keys())
    beyond = sorted(parts.keys() - UNDERSTOOD)
    port, host = str(parts.get("port", 5432)), str(parts.get("host"))
    one_host = "," not in host and not host.startswith("/")
    if missing or beyond or not one_host or not port.isdigit():
        details = [f"lacks {', '.join(missing)}"] if missing and parts else []
        details += [f"has {', '.join(beyond)}, which cannot be used here"] if beyond else []
        details += [] if one_host else ["does not name one host to reach by TCP"]
        raise Refused(
            f"{VARIABLE} must be of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE[?sslmode=MODE]"
            + "".join(f"; it {detail}" for detail in details)
        )
    return Admin(
        embedded=False,
        host=str(parts["host"]),
        port=int(port),
        user=str(parts["user"]),
        password=str(parts["password"]),
        database=str(parts["dbname"]),
        sslmode=str(parts["sslmode"]) if "sslmode" in parts else None,
    )
