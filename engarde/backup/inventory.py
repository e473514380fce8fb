"""All that a schema holds, as plain values, and where two servers differ in it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engarde.server.functions import Extension
from engarde.util.terminal import first_few, visible

SHOWN = 10
"""How many tables are named."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and, where rows are counted in it, what they are together."""

    name: str
    detail: str
    """kind, parents, security"""
    columns: tuple[str, ...]
    """each with its type and properties, by name: a restored child has them in another order"""
    rows: int | None
    """none where they are counted in what it is a part of, or in its parts, or are elsewhere (foreign)"""
    checksum: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    name: str
    owner: str
    detail: str
    last: int
    called: bool
    """whether `last` was handed out"""


@dataclass(frozen=True, slots=True)
class Thing:
    """Anything else: an index, a constraint, a function, a type, ..."""

    kind: str
    name: str
    """as SQL names it"""
    detail: str


@dataclass(frozen=True, slots=True)
class Owned:
    """What stands in the schema by itself, and whose it is."""

    kind: str
    name: str
    """as SQL names it"""
    owner: str


@dataclass(frozen=True, slots=True)
class Grant:
    """One right of somebody who is not the owner."""

    on: str
    """kind and name, with the column; or what is made later"""
    grantee: str
    right: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class LargeObject:
    """A large object of the service's role."""

    number: int
    length: int
    """bytes"""
    checksum: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Edge:
    """Something outside that needs what is in the schema, or is needed by it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is read."""

    version: str
    major: int
    encoding: str
    database: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """One schema in one snapshot, but for sequences, which have none."""

    server: Server
    schema: str
    owner: str
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    things: tuple[Thing, ...]
    owned: tuple[Owned, ...]
    grants: tuple[Grant, ...]
    large_objects: tuple[LargeObject, ...]
    extensions: tuple[Extension, ...]
    needs: tuple[Edge, ...]
    """outside of the schema, without extensions"""
    needed_by: tuple[Edge, ...]
    """outside of the schema: not copied with it, and dropped with what it needs"""

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(table.rows or 0 for table in self.tables)

    @property
    def stored(self) -> int:
        """How many tables have rows of their own."""
        return sum(not table.detail.startswith(("partitioned", "foreign")) for table in self.tables)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that owns something or may do something."""
        owners, grantees = (item.owner for item in self.owned), (grant.grantee for grant in self.grants)
        return tuple(sorted({self.owner, *owners, *grantees} - {"public"}))


@dataclass(frozen=True, slots=True)
class Held:
    """What a schema and its role hold, and would lose."""

    owned: tuple[Owned, ...]
    large_objects: int

    def __str__(self) -> str:
        counted = Counter(item.kind for item in self.owned)
        counted["large object"] = self.large_objects
        parts = [f"{count} {_several(kind) if count > 1 else kind}" for kind, count in counted.most_common() if count]
        if tables := [visible(item.name) for item in self.owned if item.kind == "table"]:
            parts.append(f"the tables are {first_few(tables, SHOWN, last=', ')}")
        return ", ".join(parts)


def _several(kind: str) -> str:
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return kind + ("es" if kind.endswith(("s", "x")) else "s")


@dataclass(frozen=True, slots=True)
class Difference:
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
