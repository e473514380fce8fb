"""The thresholds of the stack file that a report exceeds, and what deserves a look without any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.declared import of_bytes
from engarde.declaration.model import DatabaseStack
from engarde.status.connections import Blocked, Blocker, Elsewhere
from engarde.status.formatting import of_seconds, of_share
from engarde.status.report import Report, Service
from engarde.status.storage import IndexUse, Storage

Threshold = Literal["size", "connections", "slowStatement", "databaseSize"]
LONG_IDLE = 10
"""Seconds for which a transaction waits for its client before it deserves a look."""

LONG = 300
"""Seconds a transaction lasts before it does."""

FEW_LEFT = 200_000_000
"""Transactions left before wraparound; vacuum sees to it when some two thousand million are left."""

NAMED = 3
"""Of each kind."""

WEAK = ("AccessShareLock", "RowShareLock")
"""Modes that keep nobody from reading and writing."""


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A threshold, and what is beyond it."""

    service: str | None
    """None for the whole server"""
    threshold: Threshold
    limit: float
    actual: float
    said: str


def exceeded(stack: DatabaseStack, report: Report) -> tuple[Exceeded, ...]:
    """Every one that is exceeded; what is not seen exceeds none."""
    return (*_of_server(stack, report), *(found for service in report.services for found in _of_service(service)))


def _of_server(stack: DatabaseStack, report: Report) -> Iterator[Exceeded]:
    limits, server = stack.status, report.server
    if limits.database_size is not None and (server.database_size or 0) > limits.database_size:
        size = server.database_size or 0
        said = f"{of_bytes(size)} of at most {of_bytes(limits.database_size)}"
        yield Exceeded(None, "databaseSize", limits.database_size, size, said)
    if limits.connections is not None and server.connections * 100 > server.room * limits.connections:
        share = server.connections * 100 / max(server.room, 1)
        said = f"{server.connections} of {server.room} connections are in use, more than {limits.connections} %"
        yield Exceeded(None, "connections", limits.connections, share, said)


def _of_service(service: Service) -> Iterator[Exceeded]:
    limits, name, used = service.subject.thresholds, service.subject.name, service.connections
    if limits.size is not None and service.storage:
        size = service.storage.bytes.total
        if size > limits.size:
            yield Exceeded(name, "size", limits.size, size, f"{of_bytes(size)} of at most {of_bytes(limits.size)}")
    if limits.connections is not None and used.limit and used.total * 100 > used.limit * limits.connections:
        said = f"{used.total} of {used.limit} connections are in use, more than {limits.connections} %"
        yield Exceeded(name, "connections", limits.connections, used.total * 100 / used.limit, said)
    if limits.slow_statement is not None and service.statements:
        for statement in service.statements.by_mean:
            mean = statement.mean_milliseconds
            if mean > limits.slow_statement:
                what = statement.query or (f"query {statement.query_id}" if statement.query_id else "a statement")
                said = f"{mean:.0f} ms in the mean, more than {limits.slow_statement}: {what}"
                yield Exceeded(name, "slowStatement", limits.slow_statement, mean, said)


def remarks(report: Report) -> Iterator[str]:
    """One sentence each, with whose it is first."""
    for setting in report.server.settings.values():
        if setting.waits_for_restart:
            yield f"server: {setting.name} was changed and waits for a restart"
    for service in report.services:
        for said in (*_sessions(service), *(_stored(service.storage) if service.storage else ())):
            yield f"{service.subject.name}: {said}"


def _sessions(service: Service) -> Iterator[str]:
    found = service.connections
    if (found.longest_idle_in_transaction_seconds or 0) >= LONG_IDLE:
        yield f"a session has been idle in a transaction for {of_seconds(found.longest_idle_in_transaction_seconds)}"
    if (found.longest_transaction_seconds or 0) >= LONG:
        yield f"a transaction has lasted for {of_seconds(found.longest_transaction_seconds)}"
    yield from map(_blocked, found.blocked)
    yield from (_elsewhere(lock) for lock in found.locks_elsewhere if lock.mode not in WEAK or not lock.granted)


def _blocked(blocked: Blocked) -> str:
    by = ", ".join(map(_by, blocked.blocked_by)) or "nobody any more"
    return f"session {blocked.pid} waits for {blocked.waits_for} since {of_seconds(blocked.seconds)}, blocked by {by}"


def _by(blocker: Blocker) -> str:
    if blocker.role is None:
        return "a prepared transaction" if blocker.pid == 0 else f"process {blocker.pid}"
    of = f"{blocker.service}'s " if blocker.service else ""
    return f"{of}session {blocker.pid} ({blocker.role}, {blocker.state or 'state not visible'})"


def _elsewhere(lock: Elsewhere) -> str:
    does = "holds" if lock.granted else "waits for"
    for_ = f" for {of_seconds(lock.seconds)}" if lock.seconds is not None else ""
    return f"{lock.role} {does} {lock.count} {lock.mode} in {lock.service}'s schema {lock.schema}{for_}"


def _stored(stored: Storage) -> Iterator[str]:
    for sequence in stored.sequences_near_end:
        name, used = f"{sequence.schema}.{sequence.name}", of_share(sequence.used)
        yield f"sequence {name} has used {used} of its range, {sequence.left:,} values are left"
    if stored.transactions_left is not None and stored.transactions_left < FEW_LEFT:
        yield f"{stored.transactions_left:,} transactions are left before wraparound: vacuum its oldest tables"
    if duplicates := stored.duplicate_indexes:
        named = (f"{index.name} ({of_bytes(index.bytes)}, as {index.same_as})" for index in duplicates[:NAMED])
        yield f"{_many(duplicates, 'duplicate')}: {', '.join(named)}"
    if unused := stored.unused_indexes:
        named = (f"{index.name} ({of_bytes(index.bytes)})" for index in unused[:NAMED])
        yield f"{_many(unused, 'unused')}: {', '.join(named)}"
    for table in stored.most_dead_rows[:NAMED]:
        if table.rows is not None and table.dead_rows > max(1000, table.rows):
            yield f"{table.schema}.{table.name} has {table.dead_rows:,} dead rows and {table.rows:,} others: vacuum it"


def _many(found: Sequence[IndexUse], kind: str) -> str:
    return f"1 {kind} index" if len(found) == 1 else f"{len(found)} {kind} indexes"
