"""The sessions of one service, what blocks them, and whom they block."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.server.session import Session
from engarde.status.subjects import subjects
from engarde.util.masking import one_line

IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
STATES = ("active", "idle", *IN_TRANSACTION, "fastpath function call", "disabled")


@dataclass(frozen=True, slots=True)
class Client:
    """One client of the server; if it is not visible, only its role is known."""

    pid: int
    role: str
    visible: bool
    state: str | None
    in_transaction: float | None
    """seconds"""
    in_state: float | None
    """seconds"""
    query: str | None
    waits_mode: str | None
    """the lock that it waits for"""
    waits_for: str | None
    """a relation, or the kind of another thing"""
    waits: float | None
    """seconds"""
    blockers: list[int] | None
    """processes; 0 is a prepared transaction"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Locks of one mode that a role's sessions hold, or wait for, in a schema."""

    role: str
    schema: str
    service: str | None = None
    """the service of the schema, if it is another one"""
    mode: str
    granted: bool
    count: int
    seconds: float | None
    """the age of the oldest of their transactions"""


@dataclass(frozen=True, slots=True)
class Activity:
    limits: dict[str, int]
    """role -> its connection limit, -1 = none"""
    sessions: tuple[Client, ...]
    locks: tuple[Lock, ...]


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds a lock for which another one waits."""

    pid: int
    role: str | None = None
    """None for a prepared transaction, or a process that is not a client"""
    service: str | None = None
    """the service of the role"""
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
class Connections:
    """The sessions of some roles, now."""

    used: int
    limit: int | None
    """of all its roles together; None if one has no limit"""
    states: Mapping[str, int] | None
    """state -> how many sessions; None if the state of one is not visible"""
    longest_transaction_seconds: float | None
    """0 without a transaction; None if not all are visible"""
    longest_idle_in_transaction_seconds: float | None
    """how long a transaction has waited for its client; 0 without one; None if not all are visible"""
    blocked: tuple[Blocked, ...]
    locks_in_other_schemas: tuple[Lock, ...]
    """in the schemas of other services"""


def read(asked: Session, own: list[int], stack: DatabaseStack, queries: bool) -> Activity:
    """All sessions but this command's own; with `queries` also what they run."""
    roles = [role for subject in subjects(stack) for role in subject.roles]
    return Activity(
        dict(asked.tuples("status_roles", roles=roles)),
        tuple(asked.query("status_sessions", Client, own=own, queries=queries)),
        tuple(asked.query("status_locks", Lock, own=own, schemas=list(stack.schemas))),
    )


def connections(
    own_roles: tuple[str, ...], activity: Activity, of_roles: Mapping[str, str], of_schemas: Mapping[str, str]
) -> Connections:
    """The sessions of these roles; `of_roles` and `of_schemas` name the service of each role and schema."""
    every = {session.pid: session for session in activity.sessions}
    mine = [session for session in activity.sessions if session.role in own_roles]
    limits = [activity.limits[role] for role in own_roles if role in activity.limits]
    visible = all(session.visible for session in mine)
    counted = Counter(session.state or "disabled" for session in mine)
    idle = (session.in_state or 0 for session in mine if session.state in IN_TRANSACTION)
    owners = [(lock, of_schemas[lock.schema]) for lock in activity.locks if lock.role in own_roles]

    def blocker(pid: int) -> Blocker:
        if pid not in every:
            return Blocker(pid)
        by = every[pid]
        return Blocker(pid, by.role, of_roles.get(by.role), by.state, by.in_transaction, one_line(by.query))

    def blocked(waiting: Client, blockers: list[int]) -> Blocked:
        what, query = (waiting.waits_for, waiting.waits_mode, waiting.waits), one_line(waiting.query)
        return Blocked(waiting.pid, waiting.role, *what, query, tuple(map(blocker, sorted(set(blockers)))))

    return Connections(
        len(mine),
        sum(limits) if limits and min(limits) >= 0 else None,
        {state: counted[state] for state in STATES} if visible else None,
        max((session.in_transaction or 0 for session in mine), default=0) if visible else None,
        max(idle, default=0) if visible else None,
        tuple(blocked(session, session.blockers) for session in mine if session.blockers is not None),
        tuple(replace(lock, service=owner) for lock, owner in owners if owner != of_roles.get(lock.role)),
    )
