"""What `make up` asks of the server, and what it makes on the embedded one before the program runs."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import Connection, sql

from devtools.local import state
from devtools.local.admin import Admin
from engarde.declaration.address import Address
from engarde.declaration.databases import databases
from engarde.declaration.model import Stack
from engarde.errors import Refused
from engarde.server.connect import connect
from engarde.server.credentials import Access
from engarde.server.session import NOTICING, SEARCH_PATH, limited

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
    """The same login, knowing whether it is a superuser's."""
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
    """Splits what exists without being in the state: begun by us is ours, anything else is not to be touched."""
    foreign = sorted(set(existing) - set(pending))
    if foreign:
        raise Refused(
            f"these roles exist on {where} outside the state of stack local: {', '.join(foreign)}; nothing was"
            " changed. Drop or rename them, or let the stack take them over with `adopt: true`"
        )
    return sorted(existing)


def prepare(admin: Admin, stack: Stack) -> None:
    """Makes what a stack finds in production and does not make itself: database, backend's tables, others' roles."""
    with connected(admin, "postgres") as session:
        own = {database.server.database for database in databases(stack) if not database.elsewhere}
        _make(session, "DATABASE", own, "SELECT datname FROM pg_database")
        _make(session, "ROLE", _outsiders(stack), "SELECT rolname FROM pg_roles")
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


def _outsiders(stack: Stack) -> set[str]:
    creators = {name for schema in stack.existing_schemas for name in schema.creators}
    return creators | {role.name for role in stack.outside_roles}


def _make(session: Connection, kind: str, wanted: set[str], listing: str) -> None:
    existing = {name for (name,) in session.execute(listing.encode())}
    for name in sorted(wanted - existing):
        session.execute(sql.SQL("CREATE {} {}").format(sql.SQL(kind), sql.Identifier(name)))
