"""One look at the server: the same few questions whatever the number of services, in two sessions side by side.

What services may change is asked of their own logins afterwards, when no session of theirs is counted any more.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from engarde.declaration.model import DatabaseStack
from engarde.errors import NotAnswered
from engarde.server import version_tables
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.server.version_tables import Logins
from engarde.status import owned, rows, statement_stats
from engarde.status.owned import Counted, Owned
from engarde.status.statement_stats import Statements
from engarde.status.subjects import Subject, subjects

Answer = TypeVar("Answer")
Question = Callable[[Session], Answer]

SETTINGS = (
    *("max_connections", "superuser_reserved_connections", "reserved_connections", "shared_buffers"),
    *("effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size", "autovacuum"),
    *("autovacuum_max_workers", "autovacuum_freeze_max_age", "track_io_timing", "log_min_duration_statement"),
    "shared_preload_libraries",
)
TRIES = 3
"""A relation may be locked between the look at the locks and its turn."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What goes on on the server."""

    settings: dict[str, rows.Setting]
    roles: dict[str, rows.Role]
    sessions: tuple[rows.Session, ...]
    locks: tuple[rows.Lock, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that was seen; of tables, indexes and sizes what is in the chosen schemas."""

    server: rows.Server
    tables: tuple[rows.Table, ...]
    indexes: tuple[rows.Index, ...]
    sizes: dict[int, int]
    """relation -> bytes; without those that are locked, or were rewritten meanwhile"""
    database_size: int | None
    activity: Activity
    statements: Statements
    owned: Owned


def collect(
    stack: DatabaseStack, login: Access, chosen: Sequence[Subject], queries: bool, logins: Logins | None = None
) -> Snapshot:
    """Asks the server; with `queries` for the texts of statements, too.

    :param logins: the services' own, without which nothing is read of what they may change.
    :raises Unreachable: no answer, or the role was not let in.
    """
    schemas = [schema for subject in chosen for schema in subject.schemas]
    with session(login) as first, session(login) as second, ThreadPoolExecutor(2) as pool:
        for each in (first, second):
            each.execute_file("status_begin")
        own = [first.process, second.process]
        [server] = first.query("status_server", rows.Server)
        put = _put(pool, (first, second))
        # What takes longest comes first, so that both sessions end at about the same time.
        sizes = [put(question) for question in _sizes(server.sees_files, schemas)]
        tables = put(lambda asked: tuple(asked.query("status_tables", rows.Table, schemas=schemas)))
        indexes = put(lambda asked: tuple(asked.query("status_indexes", rows.Index, schemas=schemas)))
        statements = put(lambda asked: statement_stats.read(asked, server, login, stack, queries))
        activity = put(lambda asked: _activity(asked, own, stack, queries))
        sequences = put(lambda asked: asked.query("status_sequences_counted", Counted, schemas=schemas))
        versions = put(lambda asked: version_tables.listed(stack, asked))
        measured = [row for answer in sizes for row in answer.result()]
        return Snapshot(
            server,
            tables.result(),
            indexes.result(),
            {row.relation: row.bytes for row in measured if row.relation is not None and row.bytes is not None},
            _whole(measured, by_files=server.sees_files),
            activity.result(),
            statements.result(),
            owned.read(
                stack,
                first,
                sequences.result(),
                [table for table in versions.result() if table.schema in schemas],
                logins,
            ),
        )


def _put(pool: ThreadPoolExecutor, sessions: Sequence[Session]) -> Callable[[Question[Answer]], Future[Answer]]:
    """Has each question answered by whichever of the sessions is free."""
    free: SimpleQueue[Session] = SimpleQueue()
    for each in sessions:
        free.put(each)

    def answer(question: Question[Answer]) -> Answer:
        asked = free.get()
        try:
            return question(asked)
        finally:
            free.put(asked)

    return lambda question: pool.submit(answer, question)


def _activity(asked: Session, own: list[int], stack: DatabaseStack, queries: bool) -> Activity:
    roles = [role for subject in subjects(stack) for role in subject.roles]
    settings = {row.name: row for row in asked.query("status_settings", rows.Setting, names=list(SETTINGS))}
    return Activity(
        {name: settings[name] for name in SETTINGS},
        {row.name: row for row in asked.query("status_roles", rows.Role, roles=roles)},
        tuple(asked.query("status_sessions", rows.Session, own=own, queries=queries)),
        tuple(asked.query("status_locks", rows.Lock, own=own, schemas=list(stack.schemas))),
    )


def _sizes(by_files: bool, schemas: list[str]) -> list[Question[list[rows.Bytes]]]:
    """The questions that together tell how much each relation takes.

    They are answered from the files where the role may see them, else by one relation after another.
    """
    if by_files:
        return [lambda asked: asked.query("status_sizes_by_files", rows.Bytes, schemas=schemas)]
    return [partial(_by_relations, schemas=schemas, half=half) for half in (0, 1)]


def _by_relations(asked: Session, schemas: list[str], half: int) -> list[rows.Bytes]:
    for _ in range(TRIES):
        try:
            return asked.try_query("status_sizes_by_relations", rows.Bytes, schemas=schemas, half=half)
        except NotAnswered:
            continue
    return []


def _whole(measured: Sequence[rows.Bytes], *, by_files: bool) -> int | None:
    """What the whole database takes: all of its files, or the one row that is of no relation."""
    if by_files:
        return sum(row.bytes or 0 for row in measured)
    return next((row.bytes for row in measured if row.relation is None and row.bytes is not None), None)
