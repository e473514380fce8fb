"""All that a schema holds, as plain values that two servers can be compared by."""

from dataclasses import dataclass

from engarde.server.functions import Extension


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
    """A sequence and where it is."""

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
