"""What was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SECOND = 1.0


@dataclass(frozen=True, slots=True)
class RootField:
    name: str
    key: str
    """what it is answered under: its alias, if it has one"""
    service: str | None
    """the name of the service that it concerns"""


@dataclass(slots=True, eq=False)
class Request:
    at: float
    """on the clock that only goes forward [seconds]"""
    auth: str
    """`project`, `account`, `both` or `none`"""
    headers: dict[str, str] = field(repr=False)
    source: str | None = None
    roots: tuple[RootField, ...] = ()
    """none where the document was refused"""
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    """as they were sent, values and all"""
    writes: bool = False
    applied: bool = False
    """whether it was executed"""
    status: int | None = None
    """what was answered; none when nothing was"""
    errors: tuple[str, ...] = ()
    """the messages that were answered"""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the root fields, whatever their aliases."""
        return tuple(root.name for root in self.roots)

    @property
    def services(self) -> frozenset[str]:
        return frozenset(root.service for root in self.roots if root.service is not None)


def most_in_a_second(requests: list[Request]) -> int:
    times = sorted(request.at for request in requests)
    low = most = 0
    for high, at in enumerate(times):
        while times[low] <= at - SECOND:
            low += 1
        most = max(most, high - low + 1)
    return most
