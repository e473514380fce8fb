"""Rows of what status asks the server, and what it could not see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """The server and the stack's database."""

    version: str
    role: str
    """who asks"""
    superuser: bool
    sees_files: bool
    """the files in which tables are"""
    database_oid: int
    standby: bool
    started: float
    """seconds since 1970"""
    counted_since: float | None
    """seconds since 1970; what the counters of the database were never reset after"""
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
    """None where this role may not see it, or the server does not know it"""
    waits_for_restart: bool


@dataclass(frozen=True, slots=True)
class Role:
    """What the server lets a role have."""

    name: str
    connection_limit: int
    """-1 = none"""


@dataclass(frozen=True, slots=True)
class Session:
    """One client of the server; of what is not visible nothing is known but whose it is."""

    pid: int
    role: str
    database: str
    application: str
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


@dataclass(frozen=True, slots=True)
class Lock:
    """Locks of a kind that a role's sessions have, or wait for, in a schema."""

    role: str
    schema: str
    mode: str
    granted: bool
    count: int
    seconds: float | None
    """how long the longest of their transactions has lasted"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a partition or a materialized view."""

    oid: int
    schema: str
    name: str
    toast: int
    """the oid of its TOAST table, 0 = none"""
    partition_of: str | None
    """the partitioned table of the same schema that it is a part of"""
    rows: int | None
    dead: int
    vacuumed: float | None
    """seconds since 1970"""
    analyzed: float | None
    transaction_age: int
    multixact_age: int


@dataclass(frozen=True, slots=True)
class Bytes:
    """How much a relation takes; of no relation, what the database holds besides or altogether."""

    relation: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table's or of a TOAST table's."""

    oid: int
    of_table: int
    schema: str
    name: str
    unused: bool
    same_as: str | None
    """the index that makes it needless"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence near its end; or, without a name, how many of the schema could not be read."""

    schema: str
    name: str | None
    last: int | None
    ends: int | None
    begins: int | None
    step: int | None
    unread: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where pg_stat_statements is, as far as it is anywhere."""

    loaded: bool
    preloaded: str | None
    """the setting, None where this role may not see it"""
    schema: str | None
    readable: bool | None
    columns: list[str] | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a role's, and the sums of all of that role's."""

    role: str
    queryid: int | None
    visible: bool
    query: str | None
    calls: int
    total: float
    """milliseconds"""
    mean: float
    """milliseconds"""
    rows: int
    hit: int
    """blocks found in the cache"""
    read: int
    """blocks read"""
    temp: int
    """blocks written to temporary files"""
    by_total: int
    """its rank among the role's"""
    by_mean: int
    all_calls: int
    all_total: float
    all_rows: int
    all_hit: int
    all_read: int
    all_temp: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """One kind of figures that are left out, as the role that asks cannot see them; they are no zeros."""

    what: str
    why: str
    heal: str
    """statements for a superuser, or lines of the stack file"""
