"""What is stored for one service, and what maintenance has left to do there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engarde.output.findings import Remedy
from engarde.status.subjects import Subject
from engarde.util.quoting import quoted

LARGEST = 5
"""Tables of each kind that are listed."""

WRAPAROUND = 2**31
"""The number of transactions after which the oldest one would seem to be in the future."""

_LEFT_BEHIND = re.compile(r"_cc(new|old)\d*$")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a partition or a materialized view, as the server has it."""

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
    autovacuum_off: bool
    """for it or its TOAST table"""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a relation; without a relation, that of the rest of the database or of all of it."""

    relation: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table or of a TOAST table."""

    oid: int
    of_table: int
    schema: str
    name: str
    unused: bool
    invalid: bool
    """building it failed"""
    same_as: str | None
    """an index that makes it needless"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence near its end; or, without a name, how many of the schema could not be read."""

    schema: str
    name: str | None = None
    last: int | None = None
    ends: int | None = None
    begins: int | None = None
    step: int | None = None
    unread: int | None = None


@dataclass(frozen=True, slots=True)
class Bytes:
    """The size on disk of a table, or of several."""

    heap: int = 0
    """its rows, without those parts of them that are in its TOAST table"""
    indexes: int = 0
    toast: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.heap + self.indexes + self.toast)

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(self.heap + other.heap, self.indexes + other.indexes, self.toast + other.toast)


@dataclass(frozen=True, slots=True)
class Sized:
    """A table with its indexes and its TOAST table; of a partitioned one, all its partitions of the same schema."""

    schema: str
    table: str
    partitions: int
    """0 for a table that is not partitioned"""
    bytes: Bytes
    rows: int | None
    dead_rows: int
    vacuumed_at: float | None
    """the earliest of its partitions [seconds since 1970]; None if one was never vacuumed"""
    analyzed_at: float | None


@dataclass(frozen=True, slots=True)
class IndexUse:
    """An index that no query has used, or that another one makes needless."""

    schema: str
    table: str
    index: str
    duplicate_of: str | None
    """an index that makes it needless"""
    bytes: int | None


@dataclass(frozen=True, slots=True)
class InvalidIndex:
    """An index that no query uses, because building it failed; every write still updates it."""

    schema: str
    table: str
    index: str
    bytes: int | None

    @property
    def remedy(self) -> Remedy:
        """For its owner or a superuser, outside of a transaction."""
        # After a failed REINDEX CONCURRENTLY, the old index is still there beside the new one.
        verb = "DROP INDEX" if _LEFT_BEHIND.search(self.index) else "REINDEX INDEX"
        return Remedy("sql", f"{verb} CONCURRENTLY {quoted(self.schema, self.index)};", by_superuser=True)


@dataclass(frozen=True, slots=True)
class AutovacuumOff:
    """A table that autovacuum visits only to prevent wraparound."""

    schema: str
    table: str

    @property
    def remedy(self) -> Remedy:
        """For its owner or a superuser."""
        reset = "RESET (autovacuum_enabled, toast.autovacuum_enabled)"
        return Remedy("sql", f"ALTER TABLE {quoted(self.schema, self.table)} {reset};", by_superuser=True)


@dataclass(frozen=True, slots=True)
class NearEnd:
    """A sequence that has used most of its range."""

    schema: str
    sequence: str
    used_ratio: float
    """1 = all"""
    values_left: int


@dataclass(frozen=True, slots=True)
class Storage:
    bytes: Bytes
    tables: int
    """how many"""
    unmeasured_tables: tuple[str, ...]
    """tables that are locked, so that their sizes and rows are in no sum"""
    rows: int | None
    """of all tables for which it is known; None if it is known for none"""
    dead_rows: int
    largest_tables: tuple[Sized, ...]
    """the first of them by size"""
    most_dead_rows: tuple[Sized, ...]
    """those with most dead rows, if they have any"""
    transactions_left: int | None
    """before wraparound; None without a table"""
    multixacts_left: int | None
    sequences_near_end: tuple[NearEnd, ...]
    unread_sequences: int
    unused_indexes: tuple[IndexUse, ...]
    duplicate_indexes: tuple[IndexUse, ...]
    invalid_indexes: tuple[InvalidIndex, ...]
    autovacuum_off: tuple[AutovacuumOff, ...]


def storage(
    subject: Subject,
    tables: Iterable[Table],
    indexes: Iterable[Index],
    sizes: Mapping[int, int],
    sequences: Iterable[Sequence],
) -> Storage:
    """This subject's part of what was found; `sizes` are the bytes of each relation that could be measured."""
    own = {table.oid: table for table in tables if table.schema in subject.schemas}
    indexed: dict[int, list[int]] = defaultdict(list)
    mine = [index for index in indexes if index.of_table in own]
    for index in mine:
        indexed[index.of_table].append(index.oid)
    single = [(table, _size(table, indexed[oid], sizes)) for oid, table in own.items()]
    measured = [(table, size) for table, size in single if size]
    sized = sorted(_joined(measured), key=lambda table: (-table.bytes.total, table.schema, table.table))
    dead = sorted((table for table in sized if table.dead_rows), key=lambda table: -table.dead_rows)
    known = [table.rows for table in sized if table.rows is not None]
    uses = [
        (index, IndexUse(index.schema, own[index.of_table].name, index.name, index.same_as, sizes.get(index.oid)))
        for index in mine
    ]
    uses.sort(key=lambda pair: (-(pair[1].bytes or 0), pair[1].schema, pair[1].index))
    its = [sequence for sequence in sequences if sequence.schema in subject.schemas]
    unmeasured = sorted(f"{table.schema}.{table.name}" for table, size in single if not size)
    return Storage(
        sum((table.bytes for table in sized), Bytes()),
        len(sized) + len(unmeasured),
        tuple(unmeasured),
        sum(known) if known or not sized else None,
        sum(table.dead_rows for table in sized),
        tuple(sized[:LARGEST]),
        tuple(dead[:LARGEST]),
        min((WRAPAROUND - table.transaction_age for table in own.values()), default=None),
        min((WRAPAROUND - table.multixact_age for table in own.values()), default=None),
        tuple(sorted(filter(None, map(_near_end, its)), key=lambda sequence: -sequence.used_ratio)),
        sum(sequence.unread or 0 for sequence in its),
        tuple(use for index, use in uses if index.unused),
        tuple(use for index, use in uses if index.same_as),
        tuple(InvalidIndex(use.schema, use.table, use.index, use.bytes) for index, use in uses if index.invalid),
        tuple(
            AutovacuumOff(table.schema, table.name) for table in sorted(own.values(), key=_name) if table.autovacuum_off
        ),
    )


def _name(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _size(table: Table, indexes: Iterable[int], sizes: Mapping[int, int]) -> Bytes | None:
    """None if a part of it was not measured."""
    parts = [table.oid, *indexes, *([table.toast] if table.toast else [])]
    if any(part not in sizes for part in parts):
        return None
    return Bytes(sizes[table.oid], sum(sizes[index] for index in indexes), sizes.get(table.toast, 0))


def _joined(measured: Iterable[tuple[Table, Bytes]]) -> Iterable[Sized]:
    """The tables; partitions are joined to their table."""
    parts: dict[tuple[str, str, bool], list[tuple[Table, Bytes]]] = defaultdict(list)
    for table, size in measured:
        parts[table.schema, table.partition_of or table.name, table.partition_of is not None].append((table, size))
    for (schema, name, partitioned), several in parts.items():
        # A table of 0 bytes has no rows, even if nobody has counted them.
        rows = [0 if table.rows is None and not size.heap else table.rows for table, size in several]
        counted = [number for number in rows if number is not None]
        yield Sized(
            schema,
            name,
            len(several) if partitioned else 0,
            sum((size for _, size in several), Bytes()),
            sum(counted) if counted else None,
            sum(table.dead for table, _ in several),
            _oldest([table.vacuumed for table, _ in several]),
            _oldest([table.analyzed for table, _ in several]),
        )


def _oldest(times: list[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return min(known) if len(known) == len(times) else None


def _near_end(sequence: Sequence) -> NearEnd | None:
    limits = (sequence.last, sequence.ends, sequence.begins, sequence.step)
    if sequence.name is None or None in limits:
        return None
    last, ends, begins, step = (int(limit or 0) for limit in limits)
    used = abs(last - begins) / max(abs(ends - begins), 1)
    return NearEnd(sequence.schema, sequence.name, used, max((ends - last) // step, 0))
