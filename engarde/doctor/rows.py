"""What the doctor's own queries find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or sequence that has the name asked for, in some case."""

    kind: str
    """as ALTER has it"""
    schema: str
    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function that has the name asked for."""

    schema: str
    name: str
    identity: str
    owner: str
    types: str
    """of its arguments"""
    refused: list[str]
    """those of the roles that may not call it"""

    @property
    def signature(self) -> str:
        """Its name, bare, and the types."""
        return f"{self.name}({self.types})"


@dataclass(frozen=True, slots=True)
class Held:
    """An extension in a schema that holds extensions alone."""

    name: str
    relocatable: bool


@dataclass(frozen=True, slots=True)
class RelationRight:
    """What a role may do to a table, view or sequence."""

    role: str
    reads: bool
    some: bool
    """it may read a column of it at least"""
    writes: bool
    refers: bool
    """it may point a foreign key at a column of it at least"""


@dataclass(frozen=True, slots=True)
class SchemaRight:
    """What a role may do in a schema."""

    role: str
    schema: str
    usage: bool
    create: bool


@dataclass(frozen=True, slots=True)
class Entrant:
    """A role that may log in."""

    name: str
    superuser: bool
    connect: bool
    temporary: bool


@dataclass(frozen=True, slots=True)
class Client:
    """A session of somebody else."""

    pid: int
    role: str
    database: str
    application: str
    state: str | None
    """None where the admin may not see it"""
    seconds: int
    """how long it has been in that state"""

    def __str__(self) -> str:
        by = f" ({self.application})" if self.application else ""
        return f"{self.role}{by}, process {self.pid}, {self.state or 'state unknown'} for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long the server runs (seconds)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class EntranceRule:
    """A rule of pg_hba.conf."""

    type: str
    databases: list[str]
    roles: list[str]
    address: str
    method: str


@dataclass(frozen=True, slots=True)
class InSchema:
    """Something in a schema, in the server's words."""

    schema: str
    object: str


@dataclass(frozen=True, slots=True)
class HeldByRole:
    """What keeps a role from being dropped."""

    database: str
    """empty for what is the whole server's"""
    owned: bool
    amount: int
