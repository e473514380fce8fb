"""What is stored for one service, and what maintenance has left to do there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engarde.status import rows
from engarde.status.look import Look
from engarde.status.subjects import Subject

LARGEST = 5
"""Tables of each kind that are listed."""

WRAPAROUND = 2**31
"""Transactions after which the oldest would lie in the future."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A table with its indexes and its TOAST table; of a partitioned one, all its partitions of the same schema."""

    schema: str
    name: str
    partitions: int
    """0 for a table that is not partitioned"""
    table: int
    """bytes, as the next two"""
    indexes: int
    toast: int
    rows: int | None
    dead: int
    vacuumed: float | None
    """the longest ago of its partitions, seconds since 1970; None where one never was"""
    analyzed: float | None

    @property
    def total(self) -> int:
        """bytes"""
        return self.table + self.indexes + self.toast


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
class Stored:
    """All that is stored for one service."""

    tables: tuple[Sized, ...]
    """the largest first"""
    unmeasured: tuple[str, ...]
    """tables of which something is locked, so that their sizes are in no sum"""
    transactions_left: int | None
    """until the oldest row would lie in the future; None without a table"""
    multixacts_left: int | None
    unused: tuple[IndexUse, ...]
    duplicates: tuple[IndexUse, ...]
    sequences: tuple[NearEnd, ...]
    sequences_unread: int

    def sum(self, of: Callable[[Sized], int]) -> int:
        """The sum over all tables."""
        return sum(of(each) for each in self.tables)

    @property
    def most_dead(self) -> tuple[Sized, ...]:
        """Those with the most dead rows, as far as they have any."""
        dead = sorted((each for each in self.tables if each.dead), key=lambda each: -each.dead)
        return tuple(dead[:LARGEST])

    @property
    def rows(self) -> int | None:
        """Of all tables of which it is known; None where it is of none of them."""
        known = [each.rows for each in self.tables if each.rows is not None]
        return sum(known) if known or not self.tables else None


def stored(subject: Subject, look: Look) -> Stored:
    """What of all that was found is this one's."""
    found = look.storage
    tables = [each for each in found.tables if each.schema in subject.schemas]
    names = {each.oid: each.name for each in tables}
    indexes: dict[int, list[rows.Index]] = defaultdict(list)
    for index in found.indexes:
        if index.of_table in names:
            indexes[index.of_table].append(index)
    measured, unmeasured = [], []
    for table in tables:
        one = _sized(table, indexes[table.oid], found.sizes.of)
        if one is None:
            unmeasured.append(f"{table.schema}.{table.name}")
        else:
            measured.append((table, one))
    every = [_use(each, names, found.sizes.of) for of_table in indexes.values() for each in of_table if each.same_as]
    unused = [_use(each, names, found.sizes.of) for of_table in indexes.values() for each in of_table if each.unused]
    mine = [each for each in look.owned.sequences if each.schema in subject.schemas]
    return Stored(
        tuple(sorted(_whole(measured), key=lambda each: (-each.total, each.schema, each.name))),
        tuple(sorted(unmeasured)),
        min((WRAPAROUND - each.transaction_age for each in tables), default=None),
        min((WRAPAROUND - each.multixact_age for each in tables), default=None),
        _largest(unused),
        _largest(every),
        tuple(sorted(filter(None, map(_near, mine)), key=lambda each: -each.used)),
        sum(each.unread or 0 for each in mine),
    )


def _sized(table: rows.Table, indexes: Sequence[rows.Index], of: dict[int, int]) -> Sized | None:
    parts = [table.oid, *(each.oid for each in indexes), *([table.toast] if table.toast else [])]
    if any(part not in of for part in parts):
        return None
    size = of[table.oid]
    # Nothing on the disk is no row, whether or not anybody has counted.
    counted = 0 if table.rows is None and size == 0 else table.rows
    return Sized(
        table.schema,
        table.name,
        0,
        size,
        sum(of[each.oid] for each in indexes),
        of.get(table.toast, 0),
        counted,
        table.dead,
        table.vacuumed,
        table.analyzed,
    )


def _whole(measured: Iterable[tuple[rows.Table, Sized]]) -> Iterable[Sized]:
    """Partitions put together to what they are parts of."""
    parts: dict[tuple[str, str], list[Sized]] = defaultdict(list)
    for table, one in measured:
        if table.partition_of is None:
            yield one
        else:
            parts[table.schema, table.partition_of].append(one)
    for (schema, name), several in parts.items():
        counted = [each.rows for each in several if each.rows is not None]
        yield Sized(
            schema,
            name,
            len(several),
            sum(each.table for each in several),
            sum(each.indexes for each in several),
            sum(each.toast for each in several),
            sum(counted) if counted else None,
            sum(each.dead for each in several),
            _oldest([each.vacuumed for each in several]),
            _oldest([each.analyzed for each in several]),
        )


def _oldest(times: Sequence[float | None]) -> float | None:
    known = [each for each in times if each is not None]
    return min(known) if len(known) == len(times) else None


def _use(index: rows.Index, tables: dict[int, str], of: dict[int, int]) -> IndexUse:
    return IndexUse(index.schema, tables[index.of_table], index.name, index.same_as, of.get(index.oid))


def _largest(found: list[IndexUse]) -> tuple[IndexUse, ...]:
    return tuple(sorted(found, key=lambda each: (-(each.bytes or 0), each.schema, each.name)))


def _near(found: rows.Sequence) -> NearEnd | None:
    if found.name is None or None in (found.last, found.ends, found.begins, found.step):
        return None
    last, ends, begins, step = (int(each or 0) for each in (found.last, found.ends, found.begins, found.step))
    used = abs(last - begins) / max(abs(ends - begins), 1)
    return NearEnd(found.schema, found.name, used, max((ends - last) // step, 0))
