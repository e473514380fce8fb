"""Relay connections."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.railway.world import Refusal


class Node(Protocol):
    id: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    start_cursor: str | None
    end_cursor: str | None
    has_previous_page: bool
    has_next_page: bool


@dataclass(frozen=True, slots=True)
class Edge:
    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class Connection:
    edges: list[Edge]
    page_info: PageInfo


def page(
    nodes: Sequence[Node],
    size: int,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Connection:
    """One page of at most `size` nodes, whatever `first` or `last` ask for."""
    edges = [Edge(b64encode(node.id.encode()).decode(), node) for node in nodes]
    low = _position(edges, after) + 1 if after is not None else 0
    high = _position(edges, before) if before is not None else len(edges)
    if last is not None and first is None:
        low = max(low, high - _size(last, size))
    else:
        high = min(high, low + _size(size if first is None else first, size))
    shown = edges[low:high]
    return Connection(
        shown,
        PageInfo(
            start_cursor=shown[0].cursor if shown else None,
            end_cursor=shown[-1].cursor if shown else None,
            has_previous_page=low > 0,
            has_next_page=high < len(edges),
        ),
    )


def _size(asked: int, size: int) -> int:
    if asked < 0:
        raise Refusal("Problem processing request")
    return min(asked, size)


def _position(edges: Sequence[Edge], cursor: str) -> int:
    for position, edge in enumerate(edges):
        if edge.cursor == cursor:
            return position
    raise Refusal("Problem processing request")
