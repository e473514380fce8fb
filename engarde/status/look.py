"""One look at the server: the same few questions whatever the number of services, in two sessions side by side.

What services may change is asked of their own logins afterwards, when no session of theirs is counted any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from engarde.declaration.model import DatabaseStack
from engarde.server import version_tables
from engarde.server.credentials import Access
from engarde.server.session import Session as Asked
from engarde.server.session import session
from engarde.server.version_tables import Logins
from engarde.status import owned, rows, sizes, statements
from engarde.status.owned import Counted, Owned
from engarde.status.sizes import Sizes
from engarde.status.statements import Statements
from engarde.status.subjects import Subject, subjects

Answer = TypeVar("Answer")
Question = Callable[[Asked], Answer]

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
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Activity:
    """What goes on on the server."""

    settings: dict[str, rows.Setting]
    roles: dict[str, rows.Role]
    sessions: tuple[rows.Session, ...]
    locks: tuple[rows.Lock, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen."""

    server: rows.Server
    storage: Storage
    activity: Activity
    statements: Statements
    owned: Owned


def look(
    stack: DatabaseStack, login: Access, of: Sequence[Subject], queries: bool, logins: Logins | None = None
) -> Look:
    """Asks the server; with `queries` for the texts of statements, too.

    :param logins: the services' own, without which nothing is read of what they may change.
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
        parts = [put(part) for part in sizes.parts(server.sees_files, schemas)]
        tables = put(lambda asked: tuple(asked.rows("status_tables", rows.Table, schemas=schemas)))
        indexes = put(lambda asked: tuple(asked.rows("status_indexes", rows.Index, schemas=schemas)))
        counted = put(lambda asked: statements.read(asked, server, login, stack, queries))
        activity = put(lambda asked: _activity(asked, own, stack, queries))
        sequences = put(lambda asked: asked.rows("status_sequences_counted", Counted, schemas=schemas))
        versions = put(lambda asked: version_tables.listed(stack, asked))
        sized = sizes.together([part.result() for part in parts])
        storage, seen = Storage(tables.result(), indexes.result(), sized), activity.result()
        here = [each for each in versions.result() if each.schema in schemas]
        theirs = owned.read(stack, first, sequences.result(), here, logins)
        return Look(server, storage, seen, counted.result(), theirs)


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


def _activity(asked: Asked, own: list[int], stack: DatabaseStack, queries: bool) -> Activity:
    roles = [role for each in subjects(stack) for role in each.roles]
    settings = {each.name: each for each in asked.rows("status_settings", rows.Setting, names=list(SETTINGS))}
    return Activity(
        {name: settings[name] for name in SETTINGS},
        {each.name: each for each in asked.rows("status_roles", rows.Role, roles=roles)},
        tuple(asked.rows("status_sessions", rows.Session, own=own, queries=queries)),
        tuple(asked.rows("status_locks", rows.Lock, own=own, schemas=list(stack.schemas))),
    )
