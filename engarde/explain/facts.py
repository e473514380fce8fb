"""The plain values behind an explanation: one object, related objects, access lists, memberships."""

from dataclasses import dataclass
from typing import Literal

from engarde.checks.closure import Members, members
from engarde.declaration.privileges import CONNECT, EXECUTE, SELECT, USAGE
from engarde.server.catalog import Membership, Role
from engarde.server.session import Session

Group = Literal["relation", "function", "schema", "database"]
Key = tuple[Group, int]
"""The catalog, and the object's number there."""

OWNER = "owner"
"""Listed with the privileges, for what only an owner may do: ALTER, DROP, GRANT."""
OF_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_RIGHTS = {"database": (CONNECT, "CREATE", "TEMPORARY"), "schema": (USAGE, "CREATE"), "function": (EXECUTE,)}
_UPDATABLE = {"UPDATE": 4, "INSERT": 8, "DELETE": 16}
"""The bits of pg_relation_is_updatable."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object with an access list."""

    group: Group
    oid: int
    kind: str
    """as in ALTER, or `partitioned table`"""
    schema: str | None
    name: str
    identity: str
    """its name in SQL"""
    owner: str
    provided: bool
    """it came with the server or with an extension"""
    guarded: bool
    """a catalog of the server, which only superusers may write to"""
    partition: bool
    invoker: bool
    """a view that reads with the privileges of the role that uses it"""
    row_security: bool
    forced: bool
    """row-level security applies to the owner, too"""
    updatable: int
    types: str | None = None
    """of a function: those of its arguments"""

    @property
    def key(self) -> Key:
        """Identifies it among the objects."""
        return (self.group, self.oid)

    @property
    def called(self) -> str:
        """Kind and name, for a sentence."""
        return f"{self.kind} {self.identity}"

    def writes_through(self, right: str) -> bool:
        """Whether such a write to this view writes to what it reads."""
        return bool(self.updatable & _UPDATABLE.get(right, 0))


@dataclass(frozen=True, slots=True)
class Entry:
    """One privilege on an access list."""

    group: Group
    oid: int
    column: str | None
    grantee: str
    """a role, or `public` for PUBLIC"""
    grantor: str
    right: str
    builtin: bool
    """nobody granted it: it is from a default list, or came with the system or an extension"""


@dataclass(frozen=True, slots=True)
class Reading:
    """A relation that reads another one."""

    reader: int
    base: int
    parent: bool
    """by inheritance or partitioning, not as a view"""


@dataclass(frozen=True, slots=True)
class Policy:
    """A row-level security policy, for one of its roles."""

    name: str
    command: str
    """SELECT, INSERT, UPDATE, DELETE or ALL"""
    permissive: bool
    role: str
    using: str | None
    checked: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's own answer about a privilege."""

    on: Literal["object", "schema", "database"]
    right: str
    column: str | None
    held: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known about one object and one role."""

    major: int
    database: Thing
    """the stack's"""
    members: Members
    target: Thing
    things: dict[Key, Thing]
    schemas: dict[str, Thing]
    entries: dict[Key, tuple[Entry, ...]]
    readings: tuple[Reading, ...]
    definers: tuple[Thing, ...]
    policies: tuple[Policy, ...]
    columns: tuple[str, ...]
    """of the object, if it is a relation"""
    answers: frozenset[Answer]
    """of the role"""

    @property
    def roles(self) -> dict[str, Role]:
        """Every role of the server."""
        return self.members.roles

    def schema_of(self, thing: Thing) -> Thing | None:
        """The schema of an object."""
        return self.schemas.get(thing.schema) if thing.schema is not None else None


def rights_on(thing: Thing, major: int) -> tuple[str, ...]:
    """All privileges that exist on such an object."""
    if thing.group != "relation":
        return _RIGHTS[thing.group]
    if thing.kind == "sequence":
        return (SELECT, USAGE, "UPDATE")
    return (*OF_TABLES, *(["MAINTAIN"] if major >= 17 else []))


def read(asked: Session, roles: dict[str, Role], role: str, key: Key, database: str) -> Facts:
    """Reads the facts for one role and one object."""
    group, oid = key
    numbers = {kind: [oid] if group == kind else [] for kind in ("relation", "function", "database")}
    readings = asked.query("explain_reading", Reading, relation=oid) if group == "relation" else []
    numbers["relation"] += [oid for reading in readings for oid in (reading.reader, reading.base)]
    definers = asked.values("explain_definers")
    numbers["function"] += definers
    asked_for = {f"{group}s": sorted(set(those)) for group, those in numbers.items()}
    things = {thing.key: thing for thing in asked.query("explain_things", Thing, **asked_for)}
    entries: dict[Key, tuple[Entry, ...]] = {}
    for entry in asked.query("explain_acl", Entry, **asked_for):
        entries[entry.group, entry.oid] = (*entries.get((entry.group, entry.oid), ()), entry)
    target = things[key]
    current = next(thing for thing in things.values() if thing.group == "database" and thing.name == database)
    answers = asked.query(
        "explain_answers",
        Answer,
        role=role,
        group="sequence" if target.kind == "sequence" else target.group,
        oid=target.oid,
        owner=target.owner,
        schema=target.schema,
        rights=list(rights_on(target, asked.major)),
        column_rights=list(OF_COLUMNS),
    )
    return Facts(
        major=asked.major,
        database=current,
        members=members(roles, asked.query("memberships", Membership), current.owner, asked.major),
        target=target,
        things=things,
        schemas={thing.name: thing for thing in things.values() if thing.group == "schema"},
        entries=entries,
        readings=tuple(readings),
        definers=tuple(things["function", function] for function in definers),
        policies=tuple(asked.query("explain_policies", Policy, relation=oid)) if group == "relation" else (),
        columns=tuple(dict.fromkeys(answer.column for answer in answers if answer.column is not None)),
        answers=frozenset(answers),
    )
