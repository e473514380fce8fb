"""Who is connected for one service, what holds it up, and whom it holds up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engarde.status import rows
from engarde.status.collect import Activity
from engarde.util.masking import one_line

IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
STATES = ("active", "idle", *IN_TRANSACTION, "fastpath function call", "disabled")


@dataclass(frozen=True, slots=True)
class Blocker:
    """Who holds what another waits for."""

    pid: int
    role: str | None = None
    """None for a prepared transaction, or a process that is no client"""
    service: str | None = None
    """whose role it is"""
    state: str | None = None
    transaction_seconds: float | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A session that waits for a lock."""

    pid: int
    role: str
    waits_for: str | None
    mode: str | None
    seconds: float | None
    query: str | None
    blocked_by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Locks of a kind that one service has in another's schema."""

    role: str
    schema: str
    service: str
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
    limit: int | None
    """of the roles together; None where one has none"""
    states: Mapping[str, int] | None
    """None where the state of one of them is not visible"""
    longest_transaction_seconds: float | None
    """0 without a transaction; None where not all are visible"""
    longest_idle_in_transaction_seconds: float | None
    """in which a transaction has been waiting for its client; 0 without one; None where not all are visible"""
    blocked: tuple[Blocked, ...]
    locks_elsewhere: tuple[Elsewhere, ...]


def connections(
    own_roles: tuple[str, ...], activity: Activity, of_roles: Mapping[str, str], of_schemas: Mapping[str, str]
) -> Connections:
    """Those of these roles; `of_roles` and `of_schemas` say whose each role and each schema is."""
    every = {session.pid: session for session in activity.sessions}
    mine = [session for session in activity.sessions if session.role in own_roles]
    limits = [activity.roles[role].connection_limit for role in own_roles if role in activity.roles]
    visible = all(session.visible for session in mine)
    idle = [session.in_state or 0 for session in mine if session.state in IN_TRANSACTION]
    counted = Counter(session.state or "disabled" for session in mine)
    return Connections(
        len(mine),
        sum(limits) if limits and min(limits) >= 0 else None,
        {state: counted[state] for state in STATES} if visible else None,
        max((session.in_transaction or 0 for session in mine), default=0) if visible else None,
        max(idle, default=0) if visible else None,
        tuple(_blocked(session, every, of_roles) for session in mine if session.blockers is not None),
        tuple(_elsewhere(own_roles, activity.locks, of_roles, of_schemas)),
    )


def _blocked(session: rows.Session, every: Mapping[int, rows.Session], of_roles: Mapping[str, str]) -> Blocked:
    return Blocked(
        session.pid,
        session.role,
        session.waits_for,
        session.waits_mode,
        session.waits,
        one_line(session.query),
        tuple(_blocker(pid, every.get(pid), of_roles) for pid in sorted(set(session.blockers or ()))),
    )


def _blocker(pid: int, session: rows.Session | None, of_roles: Mapping[str, str]) -> Blocker:
    if session is None:
        return Blocker(pid)
    service, query = of_roles.get(session.role), one_line(session.query)
    return Blocker(pid, session.role, service, session.state, session.in_transaction, query)


def _elsewhere(
    own_roles: tuple[str, ...],
    locks: Iterable[rows.Lock],
    of_roles: Mapping[str, str],
    of_schemas: Mapping[str, str],
) -> Iterable[Elsewhere]:
    for lock in locks:
        owner = of_schemas[lock.schema]
        if lock.role in own_roles and owner != of_roles.get(lock.role):
            yield Elsewhere(lock.role, lock.schema, owner, lock.mode, lock.granted, lock.count, lock.seconds)
