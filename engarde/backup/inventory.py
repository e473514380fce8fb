"""Everything that a schema holds, as plain values, and the differences between two of these."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engarde.server.functions import Extension
from engarde.util.terminal import first_few, visible

SHOWN = 10
"""How many tables are named."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the number and the checksum of its rows."""

    name: str
    detail: str
    """kind, parents, security"""
    columns: tuple[str, ...]
    """each with its type and properties, sorted by name: a restored child has them in another order"""
    rows: int | None
    """None if its rows are counted in its parent or in its partitions, or are elsewhere (foreign)"""
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
    """An object that is dropped by itself, with its owner."""

    kind: str
    name: str
    """as SQL names it"""
    owner: str


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege of a role that is not the owner."""

    on: str
    """kind and name, with the column; or the objects that a role creates later"""
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
    """An object outside the schema that needs one in it, or is needed by one."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Server:
    """The server that it was read from."""

    version: str
    major: int
    encoding: str
    database: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """One schema in one snapshot, except sequences, which have no snapshot."""

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
    """objects outside the schema, without extensions"""
    needed_by: tuple[Edge, ...]
    """objects outside the schema: not copied with it, but dropped with the objects that they need"""

    @property
    def rows(self) -> int:
        """The number of rows of all tables together."""
        return sum(table.rows or 0 for table in self.tables)

    @property
    def stored(self) -> int:
        """How many tables have rows of their own."""
        return sum(not table.detail.startswith(("partitioned", "foreign")) for table in self.tables)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that owns something or has a privilege."""
        owners, grantees = (item.owner for item in self.owned), (grant.grantee for grant in self.grants)
        return tuple(sorted({self.owner, *owners, *grantees} - {"public"}))


@dataclass(frozen=True, slots=True)
class Held:
    """The objects that a schema and its role have, and would lose."""

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
    """`nothing` if only the other one has it"""
    found: str
    """`nothing` if it is missing"""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: expected {self.wanted}, found {self.found}"


NOTHING = "nothing"
CONTENTS: Mapping[str, Callable[[Inventory], dict[str, str]]] = {
    "rows of table": lambda schema: {
        table.name: f"{table.rows} ({table.checksum})" for table in schema.tables if table.rows is not None
    },
    "table": lambda schema: {table.name: f"{table.detail}: {', '.join(table.columns)}" for table in schema.tables},
    "sequence": lambda schema: {
        sequence.name: f"{sequence.detail}, at {sequence.last}{'' if sequence.called else ' (not used yet)'}"
        for sequence in schema.sequences
    },
    "large object": lambda schema: {
        str(item.number): f"{item.length} bytes ({item.checksum}) {item.comment or ''}".rstrip()
        for item in schema.large_objects
    },
    "object": lambda schema: {f"{item.kind} {item.name}": "it" for item in schema.owned},
}
"""Kind -> a function that gives name -> description of each object."""


def contents(wanted: Inventory, found: Inventory) -> tuple[Difference, ...]:
    """The differences between the contents of two schemas, without their owners."""
    pairs = [(kind, described(wanted), described(found)) for kind, described in CONTENTS.items()]
    kinds = sorted({thing.kind for thing in (*wanted.things, *found.things)})
    pairs += [(kind, _things(wanted, kind), _things(found, kind)) for kind in kinds]
    return tuple(difference for pair in pairs for difference in differ(*pair))


def _things(schema: Inventory, kind: str) -> dict[str, str]:
    return {thing.name: thing.detail for thing in schema.things if thing.kind == kind}


def differ(kind: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    """The differences between two sets of descriptions of one kind, by name."""
    for name in sorted(wanted.keys() | found.keys()):
        one, other = wanted.get(name, NOTHING), found.get(name, NOTHING)
        if one != other:
            yield Difference(kind, name, one, other)
