"""The scenario's database: a cluster of its own, what is done in it by hand, and what stands in it."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from devtools import server as servers
from devtools.server import runnable
from tests.servers import binaries

NAME = "DB"
"""As the recordings write it, so that nothing has to be renamed in what is compared."""

PASSWORD = "of a server that lives as long as its scenario"
CATALOG = Path(__file__).with_name("catalog.sql").read_text()
SETTINGS = {
    **servers.NOT_DURABLE,
    "log_statement": "all",
    "log_checkpoints": "off",
    # The virtual transaction: what tells one transaction's statements from another's.
    "log_line_prefix": "%v ",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A database `DB` and the role that the plugins log in as."""

    server: servers.Server
    admin: str

    @property
    def log(self) -> Path:
        return self.server.log

    def provider(self) -> dict[str, Any]:
        """The arguments of the provider under test."""
        return {
            "host": servers.HOST,
            "port": self.server.port,
            "database": NAME,
            "username": self.admin,
            "password": PASSWORD,
            "sslmode": "disable",
            "superuser": self.admin == servers.ADMIN,
            "max_connections": 4,
        }

    def run(self, statements: Sequence[str]) -> None:
        """Runs statements by hand, as superuser."""
        with _connection(self.server, NAME) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def catalog(self) -> list[Any]:
        """What a recording keeps of the catalogs."""
        with _connection(self.server, NAME) as connection:
            found = [each for (each,) in connection.execute(CATALOG.encode())]
        return [_with_sorted_access_list(each) for each in found]


@contextmanager
def template(major: int, *, superuser: bool) -> Iterator[servers.Server]:
    """A stopped cluster with the database and its admin, to be copied for each scenario."""
    with _folder() as folder:
        made = servers.Server(runnable(binaries(major), folder), folder, servers.free_port(), SETTINGS)
        servers.initialise(made.bin_dir, folder, PASSWORD)
        made = servers.start_on_free_port(made)
        try:
            _make_database(made, superuser=superuser)
        finally:
            servers.stop(made)
        yield made


@contextmanager
def database(template: servers.Server, *, superuser: bool) -> Iterator[Database]:
    """A running copy of a template."""
    with _folder() as folder:
        servers.copy(template.folder, folder)
        made = servers.Server(template.bin_dir, folder, servers.free_port(), SETTINGS)
        running = servers.start_on_free_port(made)
        try:
            yield Database(running, servers.ADMIN if superuser else "adm")
        finally:
            servers.stop(running)


def _make_database(server: servers.Server, *, superuser: bool) -> None:
    statements = [f'create database "{NAME}"']
    if not superuser:
        password = sql.Literal(PASSWORD).as_string(None)
        statements.insert(0, f"create role adm login createrole createdb password {password}")
        statements[1] += " owner adm"
    with _connection(server, "postgres") as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own: that lies in a closed folder, which the user that a server of root's runs as cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="engarde-conformance-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _connection(server: servers.Server, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=servers.HOST,
        port=server.port,
        dbname=name,
        user=servers.ADMIN,
        password=PASSWORD,
        autocommit=True,
    )


def _with_sorted_access_list(entry: dict[str, Any]) -> dict[str, Any]:
    facts = entry["facts"]
    if isinstance(facts, list):
        return {**entry, "facts": sorted(facts)}
    if facts.get("acl") is None:
        return entry
    return {**entry, "facts": {**facts, "acl": sorted(facts["acl"])}}
