"""Connections to the configured server, one for each thread."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg.sql import SQL, Composed

from devtools.provider_stubs.resource import Kind, Property, Works
from devtools.provider_stubs.values import Failure, Properties

SETTINGS = (
    Property("host"),
    Property("port", Kind.NUMBER),
    Property("database"),
    Property("username"),
    Property("password", secret=True),
    Property("sslmode"),
    Property("superuser", Kind.FLAG),
    Property("connectTimeout", Kind.NUMBER),
    Property("maxConnections", Kind.NUMBER),
)
Statement: TypeAlias = SQL | Composed
Parameter: TypeAlias = str | int | list[str]

MAX_CONNECTIONS = 20
CONNECT_TIMEOUT = 180


class Transaction:
    """An operation on one database, done completely or not at all."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.major = connection.info.server_version // 10000

    def change(self, statement: Statement, task: str = "") -> None:
        """Runs a statement; its failure names the task."""
        self._execute(statement, (), task)

    def rows(self, query: str, *parameters: Parameter) -> list[tuple[Any, ...]]:
        return self._execute(SQL(query), parameters, "").fetchall()

    def value(self, query: str, *parameters: Parameter) -> Any:
        """The first row's first column; None if there is no row."""
        rows = self.rows(query, *parameters)
        return rows[0][0] if rows else None

    def _execute(
        self, statement: Statement, parameters: tuple[Parameter, ...], task: str
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, parameters or None)
        except psycopg.Error as error:
            raise Failure(f"{task}: {_worded(error)}" if task else _worded(error)) from None


class Server(Works):
    """The configured server."""

    def __init__(self, settings: Properties) -> None:
        self.database = settings.text("database") or os.environ.get("PGDATABASE", "postgres")
        self.user = settings.text("username") or os.environ.get("PGUSER", "postgres")
        self.superuser = settings.values.get("superuser", True) is True
        """Whether the program says that the user is a superuser; the server may disagree."""
        limit = settings.number("maxConnections")
        self.parallel = limit if limit > 0 else MAX_CONNECTIONS
        self._parameters: dict[str, Any] = {
            "host": settings.text("host") or None,
            "port": settings.number("port") or None,
            "user": self.user,
            "password": settings.text("password") or None,
            "sslmode": settings.text("sslmode") or os.environ.get("PGSSLMODE", "require"),
            "connect_timeout": settings.number("connectTimeout") or CONNECT_TIMEOUT,
            "fallback_application_name": "engarde stand-in plugin",
        }
        self._thread = threading.local()
        self._open: set[psycopg.Connection] = set()
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self, database: str = "") -> Iterator[Transaction]:
        """A transaction on a database, the configured one unless another is named; it ends with the block."""
        connection = self._connection(database or self.database)
        try:
            with connection.transaction():
                yield Transaction(connection)
        except psycopg.Error as error:
            raise Failure(_worded(error)) from None
        finally:
            # An idle session would keep others from copying or dropping a database.
            if database not in ("", self.database):
                self._close(connection)

    def interrupt(self) -> None:
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1)

    def _connection(self, database: str) -> psycopg.Connection:
        """The thread's only connection, because connecting takes longer than most operations."""
        held: psycopg.Connection | None = getattr(self._thread, "connection", None)
        if held is not None and not held.closed and held.info.dbname == database:
            return held
        if held is not None:
            self._close(held)
        connection = self._connect(database)
        self._thread.connection = connection
        with self._lock:
            self._open.add(connection)
        return connection

    def _close(self, connection: psycopg.Connection) -> None:
        connection.close()
        with self._lock:
            self._open.discard(connection)

    def _connect(self, database: str) -> psycopg.Connection:
        try:
            return psycopg.connect("", dbname=database, prepare_threshold=None, **self._parameters)
        except psycopg.Error as error:
            host, reason = self._parameters["host"], " ".join(str(error).split())
            raise Failure(f"error connecting to PostgreSQL server {host} (scheme: postgres): {reason}") from None


def _worded(error: psycopg.Error) -> str:
    """The server's message, as the official plugin prints it; the error's own text would quote the statement."""
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"pq: {error.diag.message_primary or error}{code}"
