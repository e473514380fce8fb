"""The thresholds of the stack file that a report exceeds, and what deserves a look without any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.declared import of_bytes
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Remedy
from engarde.status.connections import Blocker
from engarde.status.report import Report, Server, Service
from engarde.status.storage import IndexUse, Storage

Threshold = Literal["size", "connections", "slowStatement", "databaseSize", "retainedWal"]
LONG_IDLE = 10
"""How long a transaction waits for its client before it deserves a look [seconds]."""

LONG = 300
"""How long a transaction is open before it deserves a look [seconds]."""

FEW_LEFT = 200_000_000
"""Transactions left before wraparound that deserve a look; autovacuum prevents it when about two thousand million are
left."""

NAMED = 3
"""How many of each kind are named."""

WEAK = ("AccessShareLock", "RowShareLock")
"""Modes that block neither reads nor writes."""

SPANS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Exceeded:
    service: str | None
    """None for the whole server"""
    threshold: Threshold
    limit: float
    actual: float
    message: str


def exceeded(stack: DatabaseStack, report: Report) -> Iterator[Exceeded]:
    """Each threshold that is exceeded; a figure that is not visible exceeds none."""
    limits, server = stack.status, report.server
    yield from _too_large(None, "databaseSize", limits.database_size, server.database_size)
    for slot in server.inactive_slots:
        yield from _too_large(None, "retainedWal", limits.retained_wal, slot.retained_bytes, f" for slot {slot.slot}")
    yield from _too_many(None, limits.connections, server.connections, server.room)
    for service in report.services:
        own, name, used = service.subject.thresholds, service.subject.name, service.connections
        yield from _too_large(name, "size", own.size, service.storage.bytes.total if service.storage else None)
        yield from _too_many(name, own.connections, used.used, used.limit or None)
        for statement in service.statements.by_mean if service.statements else ():
            mean = statement.mean_milliseconds
            if own.slow_statement is not None and mean > own.slow_statement:
                what = statement.query or (f"query {statement.query_id}" if statement.query_id else "a statement")
                message = f"mean {mean:.0f} ms (threshold {own.slow_statement} ms): {what}"
                yield Exceeded(name, "slowStatement", own.slow_statement, mean, message)


def _too_large(
    service: str | None, threshold: Threshold, limit: int | None, size: int | None, what: str = ""
) -> Iterator[Exceeded]:
    if limit is not None and size is not None and size > limit:
        yield Exceeded(service, threshold, limit, size, f"{of_bytes(size)}{what} (threshold {of_bytes(limit)})")


def _too_many(service: str | None, limit: int | None, used: int, room: int | None) -> Iterator[Exceeded]:
    """If more than `limit` percent of the connections are used."""
    if limit is not None and room is not None and used * 100 > room * limit:
        message = f"{used} of {room} connections are in use (threshold {limit} %)"
        yield Exceeded(service, "connections", limit, used * 100 / max(room, 1), message)


@dataclass(frozen=True, slots=True)
class Remark:
    said: str
    remedy: Remedy | None = None


def remarks(report: Report) -> Iterator[tuple[str, list[Remark]]]:
    """What is worth a look of the server, then of each service, with their names."""
    yield "server", [*_of_server(report.server)]
    for service in report.services:
        stored = service.storage
        said = [*_sessions(service), *(_stored(stored) if stored else ())]
        yield service.subject.name, [*map(Remark, said), *(_to_mend(stored) if stored else ())]


def _of_server(server: Server) -> Iterator[Remark]:
    for setting in server.settings.values():
        if setting.waits_for_restart:
            yield Remark(f"setting {setting.name} was changed and takes effect after a restart")
    for slot in server.inactive_slots:
        where = f" in database {slot.database}" if slot.database else ""
        keeps = f"replication slot {slot.slot} is inactive and keeps {of_bytes(slot.retained_bytes)} of WAL"
        yield Remark(f"{keeps}. If nobody needs it, run as a superuser{where}:", slot.remedy)


def _to_mend(stored: Storage) -> Iterator[Remark]:
    invalid = [
        Remark(
            f"index {index.schema}.{index.index} ({of_bytes(index.bytes)}) is invalid: no query uses it. Run as its"
            " owner or a superuser, outside of a transaction:",
            index.remedy,
        )
        for index in stored.invalid_indexes
    ]
    off = [
        Remark(
            f"autovacuum is off for {table.schema}.{table.table}. If it should be on, run as its owner or a superuser:",
            table.remedy,
        )
        for table in stored.autovacuum_off
    ]
    for found, what in ((invalid, "invalid indexes"), (off, "tables with autovacuum off")):
        yield from found[:NAMED]
        if (left := len(found) - NAMED) > 0:
            yield Remark(f"more {what}: {left}")


def _sessions(service: Service) -> Iterator[str]:
    found = service.connections
    if (found.longest_idle_in_transaction_seconds or 0) >= LONG_IDLE:
        yield f"a session has been idle in a transaction for {of_seconds(found.longest_idle_in_transaction_seconds)}"
    if (found.longest_transaction_seconds or 0) >= LONG:
        yield f"a transaction has been open for {of_seconds(found.longest_transaction_seconds)}"
    for blocked in found.blocked:
        by = ", ".join(map(_by, blocked.blocked_by)) or "nobody any more"
        waited = of_seconds(blocked.seconds)
        yield f"session {blocked.pid} has waited {waited} for {blocked.waits_for}, blocked by {by}"
    for lock in found.locks_in_other_schemas:
        if lock.mode not in WEAK or not lock.granted:
            does = "holds" if lock.granted else "waits for"
            for_ = f" for {of_seconds(lock.seconds)}" if lock.seconds is not None else ""
            yield f"{lock.role} {does} {lock.count} {lock.mode} in {lock.service}'s schema {lock.schema}{for_}"


def _by(blocker: Blocker) -> str:
    if blocker.role is None:
        return "a prepared transaction" if blocker.pid == 0 else f"process {blocker.pid}"
    of = f"{blocker.service}'s " if blocker.service else ""
    return f"{of}session {blocker.pid} ({blocker.role}, {blocker.state or 'state not visible'})"


def _stored(stored: Storage) -> Iterator[str]:
    for sequence in stored.sequences_near_end:
        name, used = f"{sequence.schema}.{sequence.sequence}", of_share(sequence.used_ratio)
        yield f"sequence {name} has used {used} of its range, {sequence.values_left:,} values are left"
    if stored.transactions_left is not None and stored.transactions_left < FEW_LEFT:
        yield f"{stored.transactions_left:,} transactions are left before wraparound: vacuum its oldest tables"
    if duplicates := stored.duplicate_indexes:
        named = (f"{index.index} ({of_bytes(index.bytes)}, as {index.duplicate_of})" for index in duplicates[:NAMED])
        yield f"{_many(duplicates, 'duplicate')}: {', '.join(named)}"
    if unused := stored.unused_indexes:
        named = (f"{index.index} ({of_bytes(index.bytes)})" for index in unused[:NAMED])
        yield f"{_many(unused, 'unused')}: {', '.join(named)}"
    for table in stored.most_dead_rows[:NAMED]:
        if table.rows is not None and table.dead_rows > max(1000, table.rows):
            name, dead = f"{table.schema}.{table.table}", f"{table.dead_rows:,} dead rows"
            yield f"{name} has {dead} and {table.rows:,} live ones: vacuum it"


def _many(found: Sequence[IndexUse], kind: str) -> str:
    return f"1 {kind} index" if len(found) == 1 else f"{len(found)} {kind} indexes"


def of_share(share: float | None) -> str:
    """`99.5 %`; rounded down, so that 100 % is all of it."""
    return "-" if share is None else f"{int(share * 1000) / 10:.1f} %"


def of_seconds(seconds: float | None) -> str:
    """`5 min` or `1.3 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    size, unit = next((size, unit) for size, unit in SPANS if seconds >= size)
    return f"{seconds / size:.0f} {unit}"
