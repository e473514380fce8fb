"""Who is connected for one service, what holds it up, and whom it holds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engarde.status import rows
from engarde.status.words import one_line

IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
STATES = ("active", "idle", *IN_TRANSACTION, "fastpath function call", "disabled")


@dataclass(frozen=True, slots=True)
class Blocker:
    """Who holds what another waits for."""

    pid: int
    role: str | None
    """None for a prepared transaction, or a process that is no client"""
    of: str | None
    """the service whose role it is"""
    state: str | None
    in_transaction: float | None
    """seconds"""
    query: str | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A session that waits for a lock."""

    pid: int
    role: str
    waits_for: str | None
    mode: str | None
    seconds: float | None
    query: str | None
    by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Across:
    """Locks of a kind that one service has in another's schema."""

    role: str
    schema: str
    of: str
    """whose schema it is"""
    mode: str
    granted: bool
    count: int
    seconds: float | None
    """how long the longest of their transactions has lasted"""


@dataclass(frozen=True, slots=True)
class Connections:
    """The sessions of some roles, now."""

    total: int
    states: Mapping[str, int] | None
    """None where the state of one of them is not visible"""
    limit: int | None
    """of the roles together; None where one has none"""
    longest_transaction: float | None
    """seconds, 0 without a transaction; None where not all are visible"""
    longest_idle: float | None
    """seconds in which a transaction has been waiting for its client; 0 without one; None where not all are visible"""
    blocked: tuple[Blocked, ...]
    across: tuple[Across, ...]


def connections(
    own_roles: tuple[str, ...],
    sessions: Iterable[rows.Session],
    roles: Mapping[str, rows.Role],
    locks: Iterable[rows.Lock],
    whose: tuple[Mapping[str, str], Mapping[str, str]],
) -> Connections:
    """Those of these roles; `whose` says by role and by schema."""
    every = {each.pid: each for each in sessions}
    mine = [each for each in every.values() if each.role in own_roles]
    limits = [roles[role].connection_limit for role in own_roles if role in roles]
    seen = all(each.visible for each in mine)
    idle = [each.in_state or 0 for each in mine if each.state in IN_TRANSACTION]
    counted = Counter(each.state or "disabled" for each in mine)
    return Connections(
        len(mine),
        {state: counted[state] for state in STATES} if seen else None,
        sum(limits) if limits and min(limits) >= 0 else None,
        max((each.in_transaction or 0 for each in mine), default=0) if seen else None,
        max(idle, default=0) if seen else None,
        tuple(_blocked(each, every, whose[0]) for each in mine if each.blockers is not None),
        tuple(_across(own_roles, locks, *whose)),
    )


def _blocked(session: rows.Session, every: Mapping[int, rows.Session], whose: Mapping[str, str]) -> Blocked:
    return Blocked(
        session.pid,
        session.role,
        session.waits_for,
        session.waits_mode,
        session.waits,
        one_line(session.query),
        tuple(_blocker(pid, every.get(pid), whose) for pid in sorted(set(session.blockers or ()))),
    )


def _blocker(pid: int, session: rows.Session | None, whose: Mapping[str, str]) -> Blocker:
    if session is None:
        return Blocker(pid, None, None, None, None, None)
    query = one_line(session.query)
    return Blocker(pid, session.role, whose.get(session.role), session.state, session.in_transaction, query)


def _across(
    own_roles: tuple[str, ...],
    locks: Iterable[rows.Lock],
    of_roles: Mapping[str, str],
    of_schemas: Mapping[str, str],
) -> Iterable[Across]:
    for lock in locks:
        owner = of_schemas[lock.schema]
        if lock.role in own_roles and owner != of_roles.get(lock.role):
            yield Across(lock.role, lock.schema, owner, lock.mode, lock.granted, lock.count, lock.seconds)
