"""Reads the server with the same few queries for any number of services, in two sessions at once.

What services may change (the values of sequences, Alembic's revisions) is read by their own logins afterwards, when
sessions have been counted.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from engarde.declaration.model import DatabaseStack
from engarde.errors import NotAnswered, Unreachable
from engarde.output.findings import Remedy
from engarde.server import version_tables
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.server.version_tables import Logins, NotRead
from engarde.status import connections, statement_stats, storage
from engarde.status.connections import Activity
from engarde.status.statement_stats import PRELOAD, Statement, Unseen
from engarde.status.subjects import Subject
from engarde.util.quoting import literal

Answer = TypeVar("Answer")

SETTINGS = (
    *("max_connections", "superuser_reserved_connections", "reserved_connections", "shared_buffers"),
    *("effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size", "autovacuum"),
    *("autovacuum_max_workers", "autovacuum_freeze_max_age", "track_io_timing", "log_min_duration_statement", PRELOAD),
)
TRIES = 3
"""A relation may get locked after the locks were read."""

NEAR = 0.8
"""How much of a sequence is used when its end is near."""

PARTLY = "locked now, or owned by a role that is neither the service nor the admin"
ANOTHER_LOGIN = "only its owner's login reads it, and `--login` gives another one"


@dataclass(frozen=True, slots=True)
class Server:
    version: str
    role: str
    """the session's"""
    sees_files: bool
    """it may list the files of tables"""
    database_oid: int
    standby: bool
    started: float
    """seconds since 1970"""
    counted_since: float | None
    """when the counters of the database were last reset [seconds since 1970]"""
    blocks_hit: int
    blocks_read: int
    deadlocks: int
    temp_bytes: int
    transaction_age: int
    multixact_age: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as SHOW prints it."""

    name: str
    value: str | None
    """None if this role may not see it, or the server does not have it"""
    waits_for_restart: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """An inactive replication slot: nobody reads from it."""

    slot: str
    """its name"""
    kind: str
    """physical or logical"""
    database: str | None
    """of a logical one"""
    retained_bytes: int
    """of WAL that the server keeps for it"""

    @property
    def remedy(self) -> Remedy:
        """Run in its database, if nobody is to read from it again."""
        return Remedy("sql", f"SELECT pg_drop_replication_slot({literal(self.slot)});", by_superuser=True)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that was read; tables, indexes and sizes of the chosen schemas only."""

    server: Server
    settings: dict[str, Setting]
    tables: tuple[storage.Table, ...]
    indexes: tuple[storage.Index, ...]
    sizes: dict[int, int]
    """relation -> bytes; without relations that are locked or were rewritten meanwhile"""
    database_size: int | None
    activity: Activity
    slots: tuple[Slot, ...]
    """the one that keeps most WAL first"""
    statements: tuple[Statement, ...] | Unseen
    sequences: tuple[storage.Sequence, ...]
    versions: tuple[VersionTable, ...]
    unread: Mapping[str, str]
    """schema -> why its sequences, or some of them, were not read"""


def collect(
    stack: DatabaseStack, login: Access, chosen: Sequence[Subject], queries: bool, logins: Logins | None = None
) -> Snapshot:
    """Reads the figures; with `queries` the texts of statements, too.

    :param logins: the services' own; without them, what services may change is not read.
    :raises Unreachable: no answer, or the login was refused.
    """
    schemas = [schema for subject in chosen for schema in subject.schemas]
    with session(login) as first, session(login) as second, ThreadPoolExecutor(2) as pool:
        free: SimpleQueue[Session] = SimpleQueue()
        for asked in (first, second):
            asked.execute_file("status_begin")
            free.put(asked)

        def put(question: Callable[[Session], Answer]) -> Future[Answer]:
            def answer() -> Answer:
                asked = free.get()
                try:
                    return question(asked)
                finally:
                    free.put(asked)

            return pool.submit(answer)

        own = [first.process, second.process]
        [server] = first.query("status_server", Server)
        # The slowest queries come first, so that both sessions end at about the same time. Sizes are read from the
        # files if the role may see them, otherwise from one relation after another.
        if server.sees_files:
            sizes = [put(lambda asked: asked.query("status_sizes_by_files", storage.Size, schemas=schemas))]
        else:
            sizes = [put(partial(_sizes, schemas=schemas, half=half)) for half in (0, 1)]
        tables = put(lambda asked: asked.query("status_tables", storage.Table, schemas=schemas))
        indexes = put(lambda asked: asked.query("status_indexes", storage.Index, schemas=schemas))
        statements = put(
            lambda asked: statement_stats.read(asked, server.database_oid, server.role, login, stack, queries)
        )
        activity = put(lambda asked: connections.read(asked, own, stack, queries))
        settings = put(lambda asked: asked.query("status_settings", Setting, names=list(SETTINGS)))
        slots = put(lambda asked: asked.query("status_slots", Slot))
        counted = put(lambda asked: dict(asked.tuples("status_sequences_counted", schemas=schemas)))
        versions = put(lambda asked: version_tables.listed(stack, asked))
        measured = [(row.relation, row.bytes) for half in sizes for row in half.result() if row.bytes is not None]
        # The size of the database is the sum of its files, or the one row without a relation.
        whole = [size for relation, size in measured if server.sees_files or relation is None]
        revisions = [table for table in versions.result() if table.schema in schemas]
        by_name = {setting.name: setting for setting in settings.result()}
        return Snapshot(
            server,
            {name: by_name[name] for name in SETTINGS},
            tuple(tables.result()),
            tuple(indexes.result()),
            {relation: size for relation, size in measured if relation is not None},
            sum(whole) if whole else None,
            activity.result(),
            tuple(slots.result()),
            statements.result(),
            *_owned(stack, first, counted.result(), revisions, logins),
        )


def _sizes(asked: Session, schemas: list[str], half: int) -> list[storage.Size]:
    for _ in range(TRIES):
        try:
            return asked.try_query("status_sizes_by_relations", storage.Size, schemas=schemas, half=half)
        except NotAnswered:
            continue
    return []


def _owned(
    stack: DatabaseStack,
    asked: Session,
    counted: Mapping[str, int],
    versions: Sequence[VersionTable],
    logins: Logins | None,
) -> tuple[tuple[storage.Sequence, ...], tuple[VersionTable, ...], Mapping[str, str]]:
    """Reads as each service what it owns, and as the admin what nobody else may change.

    `counted` is how many sequences of a schema can run out of values.
    """
    known, reason = None, ANOTHER_LOGIN
    try:
        known = logins() if logins else None
    except Unreachable as error:
        reason = str(error)
    if known is None:
        return (
            tuple(storage.Sequence(schema, unread=count) for schema, count in counted.items()),
            tuple(replace(version, unread=reason) for version in versions),
            dict.fromkeys(counted, reason),
        )
    homes = {service.schema_: service.role for service in stack.services if service.schema_ in counted}
    chosen = {*homes.values(), *(version.owner for version in versions)}

    def own(session: Session, login: Access) -> tuple[list[storage.Sequence], list[VersionTable]]:
        schemas = [schema for schema, role in homes.items() if role == login.role]
        tables = [version for version in versions if version.owner == login.role and not version.trusted]
        return _near_end(session, schemas), [version_tables.filled(table, session) for table in tables]

    answers = version_tables.ask_logins((known[role] for role in sorted(chosen) if role in known), own)
    sequences, unread = _near_end(asked, [schema for schema in counted if schema not in homes]), dict[str, str]()
    for schema, role in homes.items():
        answer = answers.get(role, NotRead(version_tables.unknown(role)))
        if isinstance(answer, NotRead):
            unread[schema] = answer.reason
            sequences.append(storage.Sequence(schema, unread=counted[schema]))
        else:
            sequences += [found for found in answer[0] if found.schema == schema]
    partly = {sequence.schema: PARTLY for sequence in sequences if sequence.unread}
    tables = {role: answer if isinstance(answer, NotRead) else answer[1] for role, answer in answers.items()}
    found = version_tables.together(version_tables.of_trusted(versions, asked), tables)
    return tuple(sequences), tuple(found), partly | unread


def _near_end(asked: Session, schemas: list[str]) -> list[storage.Sequence]:
    """The sequences near their end, and how many could not be read."""
    if not schemas:
        return []
    asked.execute_file("own_sequences_given", schemas=schemas, near=str(NEAR))
    asked.execute_file("own_sequences_read")
    return asked.query("own_sequences", storage.Sequence)
