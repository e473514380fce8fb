"""What the rows of the queries `sql/backup_*.sql` are, as far as they do not go into an inventory as they come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a session is, once it prints values in one way."""

    server: int
    version: str
    encoding: str
    database: str


@dataclass(frozen=True, slots=True)
class Path:
    """Where names are looked for."""

    path: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table before its rows are counted."""

    name: str
    parts: bool
    """it has partitions"""
    counted: bool
    readable: bool
    forced: bool
    """row security counts for its owner, too"""
    detail: str
    columns: list[str]
    details: list[str]


@dataclass(frozen=True, slots=True)
class FoundSequence:
    """A sequence before it is asked where it is."""

    name: str
    owner: str
    detail: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the rows of a table are."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a sequence is."""

    last: int
    called: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """Whose a schema is."""

    owner: str
    open: bool
    """the connected role may make things in it"""


@dataclass(frozen=True, slots=True)
class SidedEdge:
    """An edge and which of its ends is outside."""

    side: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A large object that is there."""

    number: int
    own: bool
    owner: str


@dataclass(frozen=True, slots=True)
class Room:
    """How many more sessions a role may have; none where nothing limits it."""

    left: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What other sessions see the same by."""

    name: str


@dataclass(frozen=True, slots=True)
class Dumping:
    """What pg_dump's sessions do."""

    at_work: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a large object."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What a query that changes something says."""

    done: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction that loads a dump."""

    taken: bool
    other: int | None
    """the process of the role's that is at it already"""
    transaction: str
    settings: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """What became of a transaction."""

    state: str | None


@dataclass(frozen=True, slots=True)
class Lent:
    """A login that was made for a proof and is still there, if there is any."""

    until: str
    """when one that is made now is over"""
    role: str | None
    over: bool
    databases: list[str]
    """where it has something, or was given it"""


@dataclass(frozen=True, slots=True)
class LockRoom:
    """How many locks the server has room for."""

    locks: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """A right that the connected role does not have."""

    right: str
    kind: str
    name: str
    """as SQL names it"""
