"""What is stored for one service, and what maintenance has left to do there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engarde.status import rows
from engarde.status.collect import Snapshot
from engarde.status.subjects import Subject

LARGEST = 5
"""Tables of each kind that are listed."""

WRAPAROUND = 2**31
"""Transactions after which the oldest would lie in the future."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a table takes on the disk, or several together."""

    table: int = 0
    indexes: int = 0
    toast: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        """Adds them up."""
        object.__setattr__(self, "total", self.table + self.indexes + self.toast)

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(self.table + other.table, self.indexes + other.indexes, self.toast + other.toast)


@dataclass(frozen=True, slots=True)
class Sized:
    """A table with its indexes and its TOAST table; of a partitioned one, all its partitions of the same schema."""

    schema: str
    name: str
    partitions: int
    """0 for a table that is not partitioned"""
    bytes: Bytes
    rows: int | None
    dead_rows: int
    vacuumed_at: float | None
    """the longest ago of its partitions, seconds since 1970; None where one never was"""
    analyzed_at: float | None


@dataclass(frozen=True, slots=True)
class IndexUse:
    """An index that nobody has used, or that another makes needless."""

    schema: str
    table: str
    name: str
    same_as: str | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class NearEnd:
    """A sequence that has used most of its range."""

    schema: str
    name: str
    used: float
    """1 = all"""
    left: int
    """how many values"""


@dataclass(frozen=True, slots=True)
class Storage:
    """All that is stored for one service."""

    bytes: Bytes
    tables: int
    """how many"""
    not_measured: tuple[str, ...]
    """tables of which something is locked, so that their sizes and rows are in no sum"""
    rows: int | None
    """of all tables of which it is known; None where it is of none of them"""
    dead_rows: int
    largest: tuple[Sized, ...]
    """the first of them by size"""
    most_dead_rows: tuple[Sized, ...]
    """the first of them by dead rows, as far as they have any"""
    transactions_left: int | None
    """until the oldest row would lie in the future; None without a table"""
    multixacts_left: int | None
    sequences_near_end: tuple[NearEnd, ...]
    sequences_not_read: int
    unused_indexes: tuple[IndexUse, ...]
    duplicate_indexes: tuple[IndexUse, ...]


def storage(subject: Subject, snapshot: Snapshot) -> Storage:
    """What of all that was found is this one's."""
    tables = [table for table in snapshot.tables if table.schema in subject.schemas]
    names = {table.oid: table.name for table in tables}
    indexes: dict[int, list[rows.Index]] = defaultdict(list)
    for index in snapshot.indexes:
        if index.of_table in names:
            indexes[index.of_table].append(index)
    single = {table: _sized(table, indexes[table.oid], snapshot.sizes) for table in tables}
    measured = [(table, sized) for table, sized in single.items() if sized]
    sized = sorted(_partitions_joined(measured), key=lambda table: (-table.bytes.total, table.schema, table.name))
    dead = sorted((table for table in sized if table.dead_rows), key=lambda table: -table.dead_rows)
    known = [table.rows for table in sized if table.rows is not None]
    uses = [
        (index, IndexUse(index.schema, names[table], index.name, index.same_as, snapshot.sizes.get(index.oid)))
        for table, of_table in indexes.items()
        for index in of_table
    ]
    sequences = [sequence for sequence in snapshot.owned.sequences if sequence.schema in subject.schemas]
    near_end = filter(None, map(_near_end, sequences))
    unmeasured = sorted(f"{table.schema}.{table.name}" for table, found in single.items() if not found)
    return Storage(
        sum((table.bytes for table in sized), Bytes()),
        len(sized) + len(unmeasured),
        tuple(unmeasured),
        sum(known) if known or not sized else None,
        sum(table.dead_rows for table in sized),
        tuple(sized[:LARGEST]),
        tuple(dead[:LARGEST]),
        min((WRAPAROUND - table.transaction_age for table in tables), default=None),
        min((WRAPAROUND - table.multixact_age for table in tables), default=None),
        tuple(sorted(near_end, key=lambda sequence: -sequence.used)),
        sum(sequence.unread or 0 for sequence in sequences),
        _largest(use for index, use in uses if index.unused),
        _largest(use for index, use in uses if index.same_as),
    )


def _sized(table: rows.Table, indexes: Sequence[rows.Index], sizes: Mapping[int, int]) -> Sized | None:
    parts = [table.oid, *(index.oid for index in indexes), *([table.toast] if table.toast else [])]
    if any(part not in sizes for part in parts):
        return None
    size = Bytes(sizes[table.oid], sum(sizes[index.oid] for index in indexes), sizes.get(table.toast, 0))
    # Nothing on the disk is no row, whether or not anybody has counted.
    counted = 0 if table.rows is None and size.table == 0 else table.rows
    return Sized(table.schema, table.name, 0, size, counted, table.dead, table.vacuumed, table.analyzed)


def _partitions_joined(measured: Iterable[tuple[rows.Table, Sized]]) -> Iterable[Sized]:
    """Partitions put together to what they are parts of."""
    parts: dict[tuple[str, str], list[Sized]] = defaultdict(list)
    for table, sized in measured:
        if table.partition_of is None:
            yield sized
        else:
            parts[table.schema, table.partition_of].append(sized)
    for (schema, name), several in parts.items():
        counted = [part.rows for part in several if part.rows is not None]
        yield Sized(
            schema,
            name,
            len(several),
            sum((part.bytes for part in several), Bytes()),
            sum(counted) if counted else None,
            sum(part.dead_rows for part in several),
            _oldest([part.vacuumed_at for part in several]),
            _oldest([part.analyzed_at for part in several]),
        )


def _oldest(times: Sequence[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return min(known) if len(known) == len(times) else None


def _largest(found: Iterable[IndexUse]) -> tuple[IndexUse, ...]:
    return tuple(sorted(found, key=lambda index: (-(index.bytes or 0), index.schema, index.name)))


def _near_end(sequence: rows.Sequence) -> NearEnd | None:
    limits = (sequence.last, sequence.ends, sequence.begins, sequence.step)
    if sequence.name is None or None in limits:
        return None
    last, ends, begins, step = (int(limit or 0) for limit in limits)
    used = abs(last - begins) / max(abs(ends - begins), 1)
    return NearEnd(sequence.schema, sequence.name, used, max((ends - last) // step, 0))
