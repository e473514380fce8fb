"""One look at the server: the same few questions whatever the number of services, in two sessions side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from engarde.access import Access
from engarde.catalog.further import VersionTable
from engarde.database import Session as Asked
from engarde.database import session
from engarde.errors import NotAnswered
from engarde.model import Stack
from engarde.status import rows, sizes, statements
from engarde.status.sizes import Sizes
from engarde.status.statements import Statements
from engarde.status.subjects import Subject, subjects

Answer = TypeVar("Answer")
Question = Callable[[Asked], Answer]

NEAR = 0.8
"""How much of a sequence is used when its end is near."""

SETTINGS = (
    *("max_connections", "superuser_reserved_connections", "reserved_connections", "shared_buffers"),
    *("effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size", "autovacuum"),
    *("autovacuum_max_workers", "autovacuum_freeze_max_age", "track_io_timing", "log_min_duration_statement"),
    "shared_preload_libraries",
)


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored in the chosen schemas."""

    tables: tuple[rows.Table, ...]
    indexes: tuple[rows.Index, ...]
    sequences: tuple[rows.Sequence, ...]
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Activity:
    """What goes on on the server."""

    settings: dict[str, rows.Setting]
    roles: dict[str, rows.Role]
    sessions: tuple[rows.Session, ...]
    locks: tuple[rows.Lock, ...]
    versions: tuple[VersionTable, ...] | None
    """None where one of them could not be read"""


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen."""

    server: rows.Server
    storage: Storage
    activity: Activity
    statements: Statements


def look(stack: Stack, login: Access, of: Sequence[Subject], queries: bool) -> Look:
    """Asks the server; with `queries` for the texts of statements, too.

    :raises Unreachable: no answer, or the role was not let in.
    """
    schemas = [schema for each in of for schema in each.schemas]
    with session(login) as first, session(login) as second, ThreadPoolExecutor(2) as pool:
        for each in (first, second):
            each.do("status_begin")
        own = [first.process, second.process]
        [server] = first.rows("status_server", rows.Server)
        put = _put(pool, (first, second))
        # What takes longest comes first, so that both sessions end at about the same time.
        sequences = put(lambda asked: _sequences(asked, schemas))
        parts = [put(part) for part in sizes.parts(server.sees_files, schemas)]
        tables = put(lambda asked: tuple(asked.rows("status_tables", rows.Table, schemas=schemas)))
        indexes = put(lambda asked: tuple(asked.rows("status_indexes", rows.Index, schemas=schemas)))
        counted = put(lambda asked: statements.read(asked, server, login, stack.name, queries))
        activity = put(lambda asked: _activity(asked, own, stack, queries))
        sized = sizes.together([part.result() for part in parts])
        storage = Storage(tables.result(), indexes.result(), sequences.result(), sized)
        return Look(server, storage, activity.result(), counted.result())


def _put(pool: ThreadPoolExecutor, sessions: Sequence[Asked]) -> Callable[[Question[Answer]], Future[Answer]]:
    """Has each question answered by whichever of the sessions is free."""
    free: SimpleQueue[Asked] = SimpleQueue()
    for each in sessions:
        free.put(each)

    def answer(question: Question[Answer]) -> Answer:
        asked = free.get()
        try:
            return question(asked)
        finally:
            free.put(asked)

    return lambda question: pool.submit(answer, question)


def _sequences(asked: Asked, schemas: list[str]) -> tuple[rows.Sequence, ...]:
    asked.do("status_sequences_given", schemas=schemas, near=str(NEAR))
    asked.do("status_sequences_read")
    return tuple(asked.rows("status_sequences", rows.Sequence))


def _activity(asked: Asked, own: list[int], stack: Stack, queries: bool) -> Activity:
    roles = [role for each in subjects(stack) for role in each.roles]
    settings = {each.name: each for each in asked.rows("status_settings", rows.Setting, names=list(SETTINGS))}
    return Activity(
        {name: settings[name] for name in SETTINGS},
        {each.name: each for each in asked.rows("status_roles", rows.Role, roles=roles)},
        tuple(asked.rows("status_sessions", rows.Session, own=own, queries=queries)),
        tuple(asked.rows("status_locks", rows.Lock, own=own, schemas=list(stack.schemas))),
        _versions(asked),
    )


def _versions(asked: Asked) -> tuple[VersionTable, ...] | None:
    try:
        return tuple(asked.answered("version_tables", VersionTable, roles=[]))
    except NotAnswered:
        # Locked between the look at the locks and the reading.
        return None
