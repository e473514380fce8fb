"""What one service had the server run, by pg_stat_statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engarde.status.rows import Statement
from engarde.status.statements import TOP
from engarde.status.subjects import Subject
from engarde.status.words import one_line


@dataclass(frozen=True, slots=True)
class Slow:
    """One statement, its constants taken out."""

    queryid: int | None
    """None where it is not visible"""
    query: str | None
    calls: int
    total: float
    """milliseconds"""
    mean: float
    """milliseconds"""
    rows: int
    cache_hit: float | None
    """1 = all; None where it asked for no block"""
    temp: int
    """blocks written to temporary files"""


@dataclass(frozen=True, slots=True)
class Ran:
    """Everything that a service's roles had run in the stack's database."""

    calls: int
    total: float
    """milliseconds"""
    rows: int
    hit: int
    """blocks"""
    read: int
    temp: int
    by_total: tuple[Slow, ...]
    by_mean: tuple[Slow, ...]

    @property
    def mean(self) -> float | None:
        """milliseconds"""
        return self.total / self.calls if self.calls else None

    @property
    def cache_hit(self) -> float | None:
        """1 = all; None where nothing asked for a block."""
        return cache_hit(self.hit, self.read)


def ran(subject: Subject, counted: Iterable[Statement]) -> Ran:
    """What of all that was counted is this one's."""
    mine = [each for each in counted if each.role in subject.roles]
    # Every statement of a role carries the sums of all of them.
    sums = list({each.role: each for each in mine}.values())
    return Ran(
        sum(each.all_calls for each in sums),
        sum(each.all_total for each in sums),
        sum(each.all_rows for each in sums),
        sum(each.all_hit for each in sums),
        sum(each.all_read for each in sums),
        sum(each.all_temp for each in sums),
        tuple(map(_slow, sorted(mine, key=lambda each: -each.total)[:TOP])),
        tuple(map(_slow, sorted(mine, key=lambda each: -each.mean)[:TOP])),
    )


def _slow(found: Statement) -> Slow:
    return Slow(
        found.queryid if found.visible else None,
        one_line(found.query),
        found.calls,
        found.total,
        found.mean,
        found.rows,
        cache_hit(found.hit, found.read),
        found.temp,
    )


def cache_hit(hit: int, read: int) -> float | None:
    """How many of the blocks that were asked for were in the cache, 1 = all; None where none was asked for."""
    return hit / (hit + read) if hit + read else None
