"""What goes wrong on the way, when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.railway.requests import Request

ANY = "*"
"""every root field"""


@dataclass(frozen=True, slots=True)
class Http:
    """An answer that is not GraphQL's."""

    status: int
    text: str | None = None
    retry_after: str | None = None
    applied: bool = False
    """whether the request has its effect all the same, as behind a gateway that gave up"""

    @property
    def body(self) -> str:
        if self.text is not None:
            return self.text
        if self.status == 429:
            return "Too Many Requests" if self.retry_after else "error code: 1015"
        return f"upstream error {self.status}"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A connection that ends without an answer."""

    applied: bool
    """whether the request has its effect before"""


@dataclass(frozen=True, slots=True)
class Message:
    """An error in HTTP 200, for the root field alone."""

    text: str


@dataclass(frozen=True, slots=True)
class Delay:
    """An answer that comes late; the effect comes at once."""

    seconds: float


Fault = Http | Dropped | Message | Delay
Callback = Callable[[Request], object]
T = TypeVar("T")


@dataclass(slots=True)
class Planned(Generic[T]):
    """Something for some requests to come."""

    what: T
    field: str
    service: str | None
    skip: int
    times: int

    def concerns(self, request: Request) -> str | None:
        """The key of the first root field that it is planned for."""
        for root in request.roots:
            if self.field in (ANY, root.name) and self.service in (None, root.service):
                return root.key
        return None


def due(plans: Iterable[Planned[T]], request: Request, most: int | None = None) -> list[tuple[T, str]]:
    """What is planned for a request and whose turn it is, counted down, each with the key of its root field."""
    found: list[tuple[T, str]] = []
    for plan in plans:
        key = plan.concerns(request)
        if key is None or plan.times <= 0 or len(found) == most:
            continue
        if plan.skip:
            plan.skip -= 1
            continue
        plan.times -= 1
        found.append((plan.what, key))
    return found
