"""Where two inventories differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engarde.backup.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same on both sides."""

    kind: str
    name: str
    wanted: str
    """`nothing` where only the other has it"""
    found: str
    """`nothing` where it is missing"""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.wanted} was expected, {self.found} is there"


NOTHING = "nothing"


def contents(wanted: Inventory, found: Inventory) -> tuple[Difference, ...]:
    """What of a schema's contents is not the same, whosever they are."""
    parts: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = [
        ("rows of table", _rows(wanted), _rows(found)),
        ("table", _shapes(wanted), _shapes(found)),
        ("sequence", _sequences(wanted), _sequences(found)),
        ("large object", _large_objects(wanted), _large_objects(found)),
        ("object", _named(wanted), _named(found)),
    ]
    kinds = sorted({each.kind for each in (*wanted.things, *found.things)})
    parts += [(kind, _things(wanted, kind), _things(found, kind)) for kind in kinds]
    return tuple(difference for kind, one, other in parts for difference in _differ(kind, one, other))


def _differ(kind: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(wanted.keys() | found.keys()):
        one, other = wanted.get(name, NOTHING), found.get(name, NOTHING)
        if one != other:
            yield Difference(kind, name, one, other)


def _rows(of: Inventory) -> dict[str, str]:
    return {each.name: f"{each.rows} ({each.checksum})" for each in of.tables if each.rows is not None}


def _shapes(of: Inventory) -> dict[str, str]:
    return {each.name: f"{each.detail}: {', '.join(each.columns)}" for each in of.tables}


def _sequences(of: Inventory) -> dict[str, str]:
    return {
        each.name: f"{each.detail}, at {each.last}{'' if each.called else ' not yet handed out'}"
        for each in of.sequences
    }


def _large_objects(of: Inventory) -> dict[str, str]:
    return {
        str(each.number): f"{each.length} bytes ({each.checksum}) {each.comment or ''}".rstrip()
        for each in of.large_objects
    }


def _named(of: Inventory) -> dict[str, str]:
    return {f"{each.kind} {each.name}": "it" for each in of.owned}


def _things(of: Inventory, kind: str) -> dict[str, str]:
    return {each.name: each.detail for each in of.things if each.kind == kind}
