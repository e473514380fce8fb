"""What deserves a look, whether or not a threshold is stated for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engarde.status.connections import Across, Blocked, Blocker
from engarde.status.report import Report, Service
from engarde.status.storage import IndexUse, Stored
from engarde.status.words import of_bytes, of_seconds, of_share

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


def remarks(report: Report) -> Iterator[str]:
    """One sentence each, with whose it is first."""
    for each in report.whole.settings.values():
        if each.waits_for_restart:
            yield f"server: {each.name} was changed and waits for a restart"
    for service in report.services:
        for said in (*_sessions(service), *(_stored(service.stored) if service.stored else ())):
            yield f"{service.subject.name}: {said}"


def _sessions(service: Service) -> Iterator[str]:
    found = service.connections
    if (found.longest_idle or 0) >= LONG_IDLE:
        yield f"a session has been idle in a transaction for {of_seconds(found.longest_idle)}"
    if (found.longest_transaction or 0) >= LONG:
        yield f"a transaction has lasted for {of_seconds(found.longest_transaction)}"
    yield from map(_blocked, found.blocked)
    yield from (_across(each) for each in found.across if each.mode not in WEAK or not each.granted)


def _blocked(blocked: Blocked) -> str:
    by = ", ".join(map(_by, blocked.by)) or "nobody any more"
    return f"session {blocked.pid} waits for {blocked.waits_for} since {of_seconds(blocked.seconds)}, blocked by {by}"


def _by(blocker: Blocker) -> str:
    if blocker.role is None:
        return "a prepared transaction" if blocker.pid == 0 else f"process {blocker.pid}"
    of = f"{blocker.of}'s " if blocker.of else ""
    return f"{of}session {blocker.pid} ({blocker.role}, {blocker.state or 'state not visible'})"


def _across(lock: Across) -> str:
    does = "holds" if lock.granted else "waits for"
    for_ = f" for {of_seconds(lock.seconds)}" if lock.seconds is not None else ""
    return f"{lock.role} {does} {lock.count} {lock.mode} in {lock.of}'s schema {lock.schema}{for_}"


def _stored(stored: Stored) -> Iterator[str]:
    for sequence in stored.sequences:
        name, used = f"{sequence.schema}.{sequence.name}", of_share(sequence.used)
        yield f"sequence {name} has used {used} of its range, {sequence.left:,} values are left"
    if stored.transactions_left is not None and stored.transactions_left < FEW_LEFT:
        yield f"{stored.transactions_left:,} transactions are left before wraparound: vacuum its oldest tables"
    if stored.duplicates:
        named = (f"{each.name} ({of_bytes(each.bytes)}, as {each.same_as})" for each in stored.duplicates[:NAMED])
        yield f"{_many(stored.duplicates, 'duplicate')}: {', '.join(named)}"
    if stored.unused:
        named = (f"{each.name} ({of_bytes(each.bytes)})" for each in stored.unused[:NAMED])
        yield f"{_many(stored.unused, 'unused')}: {', '.join(named)}"
    for table in stored.most_dead[:NAMED]:
        if table.rows is not None and table.dead > max(1000, table.rows):
            yield f"{table.schema}.{table.name} has {table.dead:,} dead rows and {table.rows:,} others: vacuum it"


def _many(found: Sequence[IndexUse], kind: str) -> str:
    return f"1 {kind} index" if len(found) == 1 else f"{len(found)} {kind} indexes"
