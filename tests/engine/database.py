"""A PostgreSQL server of a test's own, as production's is before the first run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from devtools import server as servers
from devtools.local.database import BACKEND as TABLES
from tests import servers as sources
from tests.conformance.statements import LOCK, transactions
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, PASSWORD, SUPERUSER, Admin, letting, making

NAME = "railway"
SETTINGS: Mapping[str, str] = {
    **servers.NOT_DURABLE,
    **servers.PRELOADED,
    "log_statement": "all",
    "log_min_error_statement": "error",
    "log_checkpoints": "off",
    # The virtual transaction: what tells one transaction's statements from another's.
    "log_line_prefix": "%v ",
}
Session = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Database:
    """The database `railway` on a server of its own."""

    server: servers.Server
    admin: Admin = SUPERUSER
    """whom the stack is brought up with"""

    def session(self, role: str = servers.ADMIN, password: str = PASSWORD, database: str = NAME) -> Session:
        """A session that commits each statement."""
        return psycopg.connect(
            host=servers.HOST,
            port=self.server.port,
            dbname=database,
            user=role,
            password=password,
            autocommit=True,
        )

    def run(self, *statements: str) -> None:
        """Runs statements by hand, as the superuser."""
        self.run_as(SUPERUSER, *statements)

    def run_as(self, admin: Admin, *statements: str) -> None:
        """Runs statements by hand."""
        with self.session(admin.user) as session:
            for statement in statements:
                session.execute(statement.encode())

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a query of the superuser's finds."""
        with self.session() as session:
            return session.execute(query.encode(), parameters or None).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The one value that a query of the superuser's finds."""
        [(found,)] = self.rows(query, *parameters)
        return found

    @property
    def major(self) -> int:
        """The server's major version."""
        return int(self.value("SHOW server_version_num")) // 10_000

    def mark(self) -> int:
        """The place in the log where what follows will stand (bytes)."""
        return self.server.log.stat().st_size

    def changes(self, since: int) -> list[str]:
        """The statements since a mark that change something."""
        return [each for done in transactions(self.server.log, since) for each in done if LOCK not in each]


def with_a_backend(database: Database) -> None:
    """A production backend's tables and role, and what lets the admin work beside them."""
    password = sql.Literal(BACKEND_PASSWORD).as_string(None)
    database.run(
        TABLES.read_text(),
        f"CREATE ROLE {BACKEND} LOGIN PASSWORD {password}",
        f"GRANT CREATE ON SCHEMA public TO {BACKEND}",
        *letting(database.admin, database.major),
    )


@contextmanager
def template(
    admin: Admin = SUPERUSER,
    settings: Mapping[str, str] = SETTINGS,
    prepare: Callable[[Database], None] = with_a_backend,
) -> Iterator[servers.Server]:
    """A stopped server with the database and its admin, to be copied for each test; it logs every statement."""
    with _folder() as folder:
        bin_dir = servers.runnable(sources.chosen(), folder)
        servers.initialise(bin_dir, folder, PASSWORD)
        made = servers.Server(bin_dir, folder, servers.free_port(), settings)
        try:
            database = Database(servers.start_on_free_port(made), admin)
            _make_empty(database)
            prepare(database)
        finally:
            servers.stop(made)
        yield made


@contextmanager
def copied(template: servers.Server, admin: Admin = SUPERUSER) -> Iterator[Database]:
    """A running copy of a template."""
    with _folder() as folder:
        servers.copy(template.folder, folder)
        copy = replace(template, folder=folder, port=servers.free_port())
        # An interrupt while it starts has to stop it, too.
        try:
            yield Database(servers.start_on_free_port(copy), admin)
        finally:
            servers.stop(copy)


@contextmanager
def kept(server: servers.Server) -> Iterator[servers.Server]:
    """A template of a running server as it is now; it is stopped meanwhile, and runs again in the block."""
    with _folder() as folder:
        servers.stop(server)
        try:
            servers.copy(server.folder, folder)
        finally:
            servers.start(server)
        yield replace(server, folder=folder)


def _make_empty(database: Database) -> None:
    with database.session(database="postgres") as session:
        session.execute(f"CREATE DATABASE {NAME}".encode())
        # Not where the stack works: it shows the statements of every database.
        session.execute("CREATE EXTENSION pg_stat_statements")
    database.run(*making(database.admin))


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own: that lies in a closed folder, which the user that a server of root's runs as cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="engarde-engine-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
