"""The figures of each service and of the whole server, and what was not visible."""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engarde.checks.connection_budget import budget
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Remedy
from engarde.status import collect, statement_stats
from engarde.status.collect import Setting, Snapshot
from engarde.status.connections import Connections, connections
from engarde.status.statement_stats import PRELOAD, StatementStats, Unseen, cache_hit_ratio
from engarde.status.storage import Storage, storage
from engarde.status.subjects import Subject, of_roles, of_schemas, subjects
from engarde.util.quoting import quoted, statement
from engarde.util.terminal import first_few

FILES = "GRANT EXECUTE ON FUNCTION pg_ls_dir(text), pg_stat_file(text, boolean) TO {};"
NAMED = 3


@dataclass(frozen=True, slots=True)
class Service:
    """One service, the owner of an existing schema, or analytics."""

    subject: Subject
    storage: Storage | None
    """None without a schema"""
    connections: Connections
    statements: StatementStats | None
    """None if pg_stat_statements is not visible"""
    revisions: tuple[str, ...] | None
    """of Alembic; empty without a version table; None if there is one that cannot be read"""


@dataclass(frozen=True, slots=True)
class Server:
    seen: collect.Server
    settings: Mapping[str, Setting]
    connections: int
    """of clients, in every database, without those of this command"""
    room: int
    """how many connections may be open, without those reserved for superusers"""
    budget: int
    """the largest sum that the stack's limits may have: as declared, else `room`"""
    allocated: int
    """the sum of the stack's limits"""
    used_by_stack: int
    """connections of the stack's roles"""
    others: Mapping[str, int]
    """role -> connections, of roles outside of the stack"""
    blocked: int
    database_size: int | None
    inactive_slots: tuple[collect.Slot, ...]
    """the one that keeps most WAL first"""

    @property
    def cache_hit_ratio(self) -> float | None:
        return cache_hit_ratio(self.seen.blocks_hit, self.seen.blocks_read)


@dataclass(frozen=True, slots=True)
class Report:
    stack: str
    database: str
    at: float
    """seconds since 1970"""
    server: Server
    services: tuple[Service, ...]
    unseen: tuple[Unseen, ...]
    queries: bool
    """whether texts of statements were asked for"""


def report(stack: DatabaseStack, chosen: Sequence[Subject], found: Snapshot, queries: bool) -> Report:
    every = subjects(stack)
    roles, schemas = of_roles(every), of_schemas(every)
    stored = (found.tables, found.indexes, found.sizes, found.sequences)
    counted = found.statements
    services = tuple(
        Service(
            subject,
            storage(subject, *stored) if subject.schemas else None,
            connections(subject.roles, found.activity, roles, schemas),
            None if isinstance(counted, Unseen) else statement_stats.of_roles(subject.roles, counted),
            _revision(subject, found),
        )
        for subject in chosen
    )
    unmeasured = [name for service in services if service.storage for name in service.storage.unmeasured_tables]
    return Report(
        stack.name,
        stack.server.database,
        time.time(),
        _server(stack, found, roles),
        services,
        tuple(_unseen(stack, found, unmeasured, of_schemas(chosen))),
        queries,
    )


def _revision(subject: Subject, found: Snapshot) -> tuple[str, ...] | None:
    own = [table.revisions for table in found.versions if table.schema in subject.schemas]
    if None in own:
        return None
    return tuple(revision for revisions in own for revision in revisions or ())


def _server(stack: DatabaseStack, found: Snapshot, whose: Mapping[str, str]) -> Server:
    sessions, server = found.activity.sessions, stack.server_stack
    limits = budget(server, {name: setting.value or "0" for name, setting in found.settings.items()})
    made = limits.limits.keys()
    return Server(
        seen=found.server,
        settings=found.settings,
        connections=len(sessions),
        room=limits.available,
        budget=server.server.connection_budget or limits.available,
        allocated=limits.promised,
        used_by_stack=sum(session.role in made for session in sessions),
        others=Counter(session.role for session in sessions if session.role not in {*whose, *made}),
        blocked=sum(session.blockers is not None for session in sessions),
        database_size=found.database_size,
        inactive_slots=found.slots,
    )


def _unseen(
    stack: DatabaseStack, found: Snapshot, unmeasured: Sequence[str], schemas: Collection[str]
) -> Iterator[Unseen]:
    """Each kind of figure about these schemas that is not visible, with what makes it visible to this role."""
    role, counted = found.server.role, found.statements
    stats = _as_superuser(statement("GRANT pg_read_all_stats TO {}", role))
    if unmeasured:
        # A role that sees the files needs no lock.
        files = _as_superuser(FILES.replace("{}", quoted(role)))
        yield Unseen(f"the size of {first_few(unmeasured, NAMED)}", "a part of it is locked now", files)
    if hidden := sorted({session.role for session in found.activity.sessions if not session.visible}):
        yield Unseen(f"what the sessions of {first_few(hidden, NAMED)} do", f"{role} may not see it", stats)
    if isinstance(counted, Unseen):
        yield counted
    elif not all(row.visible for row in counted):
        yield Unseen("the texts of other roles' statements", f"{role} may not see them", stats)
    yield from _not_read(stack, found, schemas)
    if found.settings[PRELOAD].value is None:
        settings = _as_superuser(statement("GRANT pg_read_all_settings TO {}", role))
        yield Unseen(f"the setting {PRELOAD}", f"{role} may not see it", settings)


def _as_superuser(sql: str) -> Remedy:
    return Remedy("sql", sql, by_superuser=True)


def _not_read(stack: DatabaseStack, found: Snapshot, schemas: Collection[str]) -> Iterator[Unseen]:
    """What only its owner's login reads, by the reason why it was not read."""
    again = Remedy("command", f"bin/engarde status --stack {stack.name}")
    sequences, versions = defaultdict[str, dict[str, int]](dict), defaultdict[str, list[str]](list)
    for sequence in found.sequences:
        if sequence.unread and sequence.schema in schemas:
            sequences[found.unread[sequence.schema]][sequence.schema] = sequence.unread
    for table in found.versions:
        if table.unread and table.schema in schemas:
            versions[table.unread].append(table.schema)
    for why, unread in sequences.items():
        what = f"the values of {sum(unread.values())} sequences in {first_few(sorted(unread), NAMED)}"
        yield Unseen(what, why, again)
    for why, of in versions.items():
        what = f"the revision in {first_few(sorted(of), NAMED)}"
        yield Unseen(what, why, again)
