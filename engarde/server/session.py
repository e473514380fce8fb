"""Sessions on the server, which run the queries of `sql/`: nothing else talks to the server."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from engarde.declaration.names import SYSTEM
from engarde.errors import NoRoomForLocks, NotAnswered, Refused, Uncertain, Unreachable
from engarde.server.connect import MARK, connect
from engarde.server.credentials import Access
from engarde.util.quoting import annotated, printable
from engarde.util.terminal import begin_change, visible
from engarde.util.timeouts import Kind, seconds

SEARCH_PATH = f"{SYSTEM}, pg_temp"
"""The search path of every session: a role that may create in a schema of the path decides what names mean."""

_LIMITED = {
    "statement": "statement_timeout",
    "lock": "lock_timeout",
    "idle": "idle_in_transaction_session_timeout",
}
NOTICING = ("tcp_keepalives_idle=10", "tcp_keepalives_interval=10", "tcp_keepalives_count=3", "tcp_user_timeout=40000")
"""With these, the server drops a client that is gone, and its locks, within a minute."""
NOTICING_OPTIONS = {"PGOPTIONS": " ".join(f"-c {setting}" for setting in NOTICING)}
"""The same for a program that reads libpq's variables."""


EVENT_TRIGGERS_CAN_BE_OFF = 170_000
"""From this version on, a superuser's session can switch them off."""

CAN_LOOK_FOR_ITS_CLIENT = 140_000
"""From this version on, a server can notice during a statement that its client is gone, if its system supports it."""

_QUERIES = Path(__file__).with_name("sql")
Row = TypeVar("Row")
LOCKED = "55P03"
"""The SQLSTATE if a lock was not available in time."""
ALLOWED = "EG000"
"""The SQLSTATE by which a probe undoes what was allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    state: str
    """SQLSTATE; 00000 if all were allowed"""
    place: int
    """of the last statement that was tried, from 1"""
    said: str


@dataclass(frozen=True, slots=True)
class Session:
    """One session in one database: one transaction, which is rolled back at its end unless it is committed."""

    _connection: psycopg.Connection[Any]
    _where: str
    """its address, for messages"""
    _settings: tuple[str, ...]
    """the settings that it has in place of its role's"""
    _begin: bytes
    """begins its transaction, with its settings"""

    @property
    def major(self) -> int:
        return self._connection.info.server_version // 10_000

    @property
    def asked_for_password(self) -> bool:
        """Whether the server asked for the password, and did not trust the role without it."""
        return bool(self._connection.pgconn.used_password)

    @property
    def process(self) -> int:
        found = self._connection.execute(f"SELECT pg_backend_pid(){MARK}").fetchone()
        return int(found[0]) if found else 0

    @property
    def encrypted(self) -> bool:
        return bool(self._connection.pgconn.ssl_in_use)

    @property
    def pooled(self) -> bool:
        """Whether there is a pooler: the process that answers is not the one that was announced at the start."""
        return self.process != self._connection.info.backend_pid

    def execute_or_refuse(self, statement: str) -> None:
        """Runs one statement of a change, or several.

        :raises Refused: the server refuses it; the message has the statement.
        """
        try:
            self.execute(statement)
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            said = visible(error.diag.message_primary or "")
            raise Refused(f"{printable(statement)}\n  {error.sqlstate}: {said}", error.sqlstate or "") from None

    def set_verifier(self, role: str, verifier: str) -> None:
        """Changes a role's password by sending its verifier.

        :raises Refused: the server refuses it; no message holds the verifier.
        """
        statement = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(verifier))
        try:
            self._connection.execute(statement + SQL(MARK))
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            raise Refused(
                f"the server does not change the password of {role}: {error.sqlstate}. Nothing was changed."
            ) from None

    def execute(self, *statements: str) -> None:
        """Runs statements in one round trip."""
        self._connection.execute(_joined(statements))

    def execute_given(self, script: str) -> None:
        """Runs a script that was written elsewhere, unchanged."""
        self._connection.execute(script.encode())

    def copy_in(self, statement: str, parts: Iterable[bytes]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(_joined([statement])) as copy:
            for part in parts:
                copy.write(part)

    def commit(self) -> None:
        """Commits the transaction.

        :raises Uncertain: the session was lost during the commit.
        """
        begin_change()
        try:
            self._connection.execute(b"COMMIT")
        except psycopg.OperationalError as error:
            if not self._connection.closed and error.sqlstate:
                raise
            raise Uncertain(self._where, " ".join(str(error).split())) from None

    def begin_again(self) -> None:
        """Ends the transaction and begins another one, which has no snapshot before its first query."""
        self._connection.execute(b"ROLLBACK; " + self._begin)

    def execute_alone(self, statement: str) -> None:
        """Commits, then runs one statement that cannot run in a transaction.

        :raises Refused: the server refuses it; the message has the statement.
        """
        self.commit()
        for setting in self._settings:
            self.execute(f"SET {setting}")
        self.execute_or_refuse(statement)

    @contextmanager
    def waiting(self, stalled: Callable[[], str], end: Callable[[], None]) -> Iterator[None]:
        """Keeps its snapshot while something else works, and ends that if it stalls or the server is gone.

        :raises psycopg.OperationalError: it was ended.
        """
        over, faults = threading.Event(), list[psycopg.Error]()

        def ask() -> None:
            while not over.wait(seconds("dump.pulse")):
                try:
                    if reason := stalled():
                        raise psycopg.OperationalError(reason)
                except (psycopg.Error, OSError) as error:
                    faults.append(psycopg.OperationalError(str(error)) if isinstance(error, OSError) else error)
                    end()
                    return

        pulse = threading.Thread(target=ask)
        pulse.start()
        try:
            yield
        finally:
            over.set()
            pulse.join()
            if faults:
                raise faults[0]

    def probe(self, probes: Sequence[Sequence[str]]) -> list[Answer]:
        """Tries each list of statements and undoes it, also if it was allowed.

        All in one round trip: a server may be far away, and refusals inside a block do not fill its log.
        """
        # If something is allowed by mistake, it waits for no service's lock, and no service waits for it for long.
        self.execute("SET LOCAL lock_timeout = '300ms'", "SET LOCAL statement_timeout = '60s'")
        self._connection.execute(f"SELECT set_config('engarde.probes', %s, true){MARK}", [json.dumps(probes)])
        self._connection.execute(_query("probe"))
        row = self._connection.execute(f"SELECT current_setting('engarde.answers'){MARK}").fetchone()
        answers = (text.split(" ", 2) for text in json.loads(row[0] if row else "[]"))
        return [Answer("00000" if state == ALLOWED else state, int(place), said) for state, place, said in answers]

    def execute_file(self, query: str, /, **parameters: object) -> None:
        """Runs `sql/<query>.sql` without a result; it may hold several statements if it takes no parameters."""
        self._connection.execute(_query(query), parameters or None)

    def query(self, query: str, kind: type[Row], /, **parameters: object) -> list[Row]:
        """The rows of the query `sql/<query>.sql`, each made by the names of its columns."""
        return self._rows(_query(query), kind, parameters)

    def tuples(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        """The same rows as plain tuples."""
        return self._connection.execute(_query(query), parameters or None).fetchall()

    def values(self, query: str, /, **parameters: object) -> list[Any]:
        """The first column of its rows."""
        return [row[0] for row in self.tuples(query, **parameters)]

    def try_query(
        self, query: str, kind: type[Row], put: Mapping[str, str] | None = None, **parameters: object
    ) -> list[Row]:
        """The rows of a query whose refusal does not end the session; the names in `put` are quoted.

        :raises NotAnswered: the server refused.
        """
        names = {place: Identifier(name) for place, name in (put or {}).items()}
        self._connection.execute(b"SAVEPOINT asked")
        try:
            return self._rows(_query(query).format(**names) if names else _query(query), kind, parameters)
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            self._connection.execute(b"ROLLBACK TO asked")
            raise NotAnswered(error.sqlstate or "") from None

    def _rows(self, query: SQL | Composed, kind: type[Row], parameters: Mapping[str, object] | None) -> list[Row]:
        with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def query_template(self, query: str, kind: type[Row], /, **parts: str) -> list[Row]:
        """The rows of the query `sql/<query>.sql` with these parts of SQL in it, which are quoted already."""
        return self._rows(_query(query).format(**{name: SQL(part) for name, part in parts.items()}), kind, None)

    def tables(self, schemas: list[str]) -> frozenset[tuple[str, str]]:
        """Schema and name of everything in these schemas that has rows."""
        return frozenset(self.tuples("tables", schemas=schemas))


def _query(name: str) -> SQL:
    return SQL(annotated((_QUERIES / f"{name}.sql").read_text(encoding="utf-8"), MARK))


def _joined(statements: Iterable[str]) -> bytes:
    return "; ".join(annotated(statement, MARK) for statement in statements).encode()


@contextmanager
def session(
    access: Access,
    kind: Kind | None = None,
    *,
    read_only: bool = True,
    as_given: bool = False,
    one_snapshot: bool = True,
) -> Iterator[Session]:
    """A session that ends with the block; it sees the server as it was at its first query, unless told otherwise.

    It starts in pg_catalog, with the limits of its `kind`; the default is `look` if it is `read_only`, else `change`.
    Settings of its role are overridden; with `as_given`, a role that the server switches to at the start is kept.

    :raises LoginRefused: no answer, or the login was refused.
    :raises Unreachable: the session was lost, or an answer did not come in time.
    :raises Uncertain: it was lost while it committed.
    """
    kind = kind or ("look" if read_only else "change")
    connection, where = connect(access, kind), access.where
    # Closing the connection is a rollback, also if this process is killed.
    with closing(connection):
        level = "REPEATABLE READ" if one_snapshot else "READ COMMITTED"
        transaction = f"BEGIN ISOLATION LEVEL {level} READ {'ONLY' if read_only else 'WRITE'}"
        # In one message: a role's own timeout may be a millisecond. LOCAL: a pooler passes the session on as it is, and
        # refuses settings at the start of a connection.
        settings = tuple(_settings(connection, kind))
        whole = [transaction, *(f"SET LOCAL {setting}" for setting in settings)]
        whole += [] if as_given else ["SET LOCAL ROLE NONE"]
        if connection.info.server_version >= CAN_LOOK_FOR_ITS_CLIENT:
            interval = "set_config('client_connection_check_interval', '10s', true)"
            whole.append(f"SELECT {interval} WHERE version() ~ '(linux|darwin|bsd)'")
        try:
            connection.execute(begin := _joined(whole))
            yield Session(connection, where, settings, begin)
        except psycopg.errors.OutOfMemory as error:
            raise NoRoomForLocks(
                f"{where} reports {error.sqlstate}: {error.diag.message_primary}. Nothing was changed there."
                f" `bin/engarde doctor '{error.diag.message_primary}'` names what uses it up"
            ) from None
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            # A timeout of a lock or a statement is an OperationalError, too, but the connection stays.
            lost = isinstance(error, psycopg.OperationalError) and (connection.closed or not error.sqlstate)
            happened = f"lost the connection to {where}" if lost else f"{where} reports {error.sqlstate}"
            raise Unreachable(f"{happened}: {said.rstrip('.')}. Nothing was changed there.") from None


def limited(kind: Kind) -> Iterator[str]:
    """The settings that limit a session of this kind."""
    for name, setting in _LIMITED.items():
        yield f"{setting} = '{round(1000 * seconds(f'{kind}.{name}'))}ms'"


def _settings(connection: psycopg.Connection[Any], kind: Kind) -> Iterator[str]:
    """The settings that a session has in place of its role's, the search path first."""
    yield f"search_path = {SEARCH_PATH}"
    yield from limited(kind)
    yield from NOTICING
    yield "standard_conforming_strings = on"
    if connection.info.server_version >= EVENT_TRIGGERS_CAN_BE_OFF:
        yield "transaction_timeout = 0"
        if connection.info.parameter_status("is_superuser") == "on":
            yield "event_triggers = off"
