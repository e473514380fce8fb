"""Where two inventories differ."""

from collections.abc import Callable, Iterator, Mapping
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
CONTENTS: Mapping[str, Callable[[Inventory], dict[str, str]]] = {
    "rows of table": lambda schema: {
        table.name: f"{table.rows} ({table.checksum})" for table in schema.tables if table.rows is not None
    },
    "table": lambda schema: {table.name: f"{table.detail}: {', '.join(table.columns)}" for table in schema.tables},
    "sequence": lambda schema: {
        sequence.name: f"{sequence.detail}, at {sequence.last}{'' if sequence.called else ' not yet handed out'}"
        for sequence in schema.sequences
    },
    "large object": lambda schema: {
        str(item.number): f"{item.length} bytes ({item.checksum}) {item.comment or ''}".rstrip()
        for item in schema.large_objects
    },
    "object": lambda schema: {f"{item.kind} {item.name}": "it" for item in schema.owned},
}
"""By kind: what is said of each thing by its name."""


def contents(wanted: Inventory, found: Inventory) -> tuple[Difference, ...]:
    """What of a schema's contents is not the same, whosever they are."""
    pairs = [(kind, described(wanted), described(found)) for kind, described in CONTENTS.items()]
    kinds = sorted({thing.kind for thing in (*wanted.things, *found.things)})
    pairs += [(kind, _things(wanted, kind), _things(found, kind)) for kind in kinds]
    return tuple(difference for pair in pairs for difference in differ(*pair))


def _things(schema: Inventory, kind: str) -> dict[str, str]:
    return {thing.name: thing.detail for thing in schema.things if thing.kind == kind}


def differ(kind: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    """Where two descriptions of things of one kind, by their names, are not the same."""
    for name in sorted(wanted.keys() | found.keys()):
        one, other = wanted.get(name, NOTHING), found.get(name, NOTHING)
        if one != other:
            yield Difference(kind, name, one, other)
