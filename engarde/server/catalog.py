"""The catalogs as far as they say who may do what: read once, in one snapshot, as plain values.

First what the rows of `engarde/server/sql` are: one class per query of the catalogs that several parts ask.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from engarde.declaration.model import DatabaseStack
from engarde.server.functions import Functions, of_stack
from engarde.server.session import Session


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    bootstrap: bool
    """the superuser that every server is born with"""
    predefined: bool
    """one of PostgreSQL's own: `pg_read_all_data`, ..."""
    superuser: bool
    inherit: bool
    createrole: bool
    createdb: bool
    login: bool
    replication: bool
    bypassrls: bool
    connection_limit: int
    """-1 = none"""
    expired: bool
    expires: bool
    passing: bool = False
    """it expires within the hour"""


@dataclass(frozen=True, slots=True)
class Membership:
    role: str
    member: str
    grantor: str
    admin: bool
    inherit: bool
    may_set: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that sessions start with; without role and database, that of all sessions."""

    role: str | None
    database: str | None
    name: str
    value: str
    superusers: bool
    """only a superuser may set or reset it"""


def in_force(settings: Iterable[Setting], name: str, role: str) -> Setting | None:
    """The precedence for a role: its setting in the database, its own, the database's, that of all roles."""
    found = [setting for setting in settings if setting.name == name and setting.role in (None, role)]
    return max(found, key=lambda setting: (setting.role is not None, setting.database is not None), default=None)


@dataclass(frozen=True, slots=True)
class Existing:
    kind: Literal["role", "schema"]
    name: str
    owner: str | None
    """of a schema, unless that is a superuser"""


def roles_of(existing: Iterable[Existing]) -> frozenset[str]:
    return frozenset(found.name for found in existing if found.kind == "role")


def owners_of(existing: Iterable[Existing]) -> dict[str, str | None]:
    """Schema -> owner, none where that is a superuser."""
    return {found.name: found.owner for found in existing if found.kind == "schema"}


@dataclass(frozen=True, slots=True)
class Schema:
    name: str
    identity: str
    """as SQL names it"""
    owner: str
    provided: bool
    """it came with an extension"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A sequence, or something that one may select from."""

    kind: str
    """`table` for all but a sequence, as GRANT has it"""
    schema: str
    name: str
    identity: str
    owner: str
    stored: bool
    """a table, partitioned or not, and without rules"""
    view: bool
    """and not a materialized one"""
    provided: bool
    columns: list[str]
    table: str | None
    """of a sequence: the table that it belongs to and follows, as SQL names it"""


RUN_AS_OWNER = frozenset({"view", "materialized view", "routine"})
"""Kinds of objects that run with their owner's privileges: a new owner can break them, or give them more."""
FOR_ALL = frozenset({"domain", "type"})
"""Kinds of objects whose owner's code runs for everybody who keeps values of them: by checks, by casts."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Something in a schema, or (schema empty) in none."""

    kind: str
    """as ALTER has it"""
    schema: str
    name: str
    identity: str
    owner: str
    definer: bool
    """it runs with its owner's privileges, whoever uses it, as a table's rules do"""
    of_another: bool = False
    """a partition of, or inheriting from, a table of another owner's"""
    taken: bool = False
    """its name, or that of something that goes with it, is another's in the schema that its owner is to have"""


@dataclass(frozen=True, slots=True)
class Entry:
    kind: str
    schema: str | None
    name: str | None
    identity: str
    column: str | None
    owner: str
    grantee: str
    """a role, or `public` for PUBLIC"""
    grantor: str
    right: str
    grantable: bool
    guarded: bool
    """on what the system or an extension came with and did not leave open: it was given since"""


@dataclass(frozen=True, slots=True)
class Default:
    """One privilege on what a role makes later; without a schema, in any schema."""

    creator: str
    schema: str | None
    objects: str
    """TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS or LARGE OBJECTS"""
    grantee: str | None
    """none where nobody has anything"""
    right: str | None
    grantable: bool


@dataclass(frozen=True, slots=True)
class View:
    """A view and a table that it reads."""

    schema: str
    name: str
    identity: str
    owner: str
    stored: bool
    """a materialized one, which reads when it is refreshed"""
    invoker: bool
    """it reads with the privileges of its reader, not of its owner"""
    base_schema: str
    base_name: str
    base: str
    """as SQL names it"""


@dataclass(frozen=True, slots=True)
class Definer:
    """A function that runs with its owner's privileges, whoever calls it."""

    schema: str
    name: str
    identity: str
    owner: str


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    identity: str
    owner: str
    connection_limit: int
    """-1 = none"""


@dataclass(frozen=True, slots=True)
class Inherits:
    """A partition or an inheriting table in another schema than what it is part of."""

    child: str
    """as SQL names it"""
    child_schema: str
    child_owner: str
    parent: str
    """as SQL names it"""
    parent_schema: str
    parent_owner: str
    partition: bool


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """What the server stores of a role's password; only a superuser sees it."""

    role: str
    stored: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """A setting of the server as the admin's session started with it."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class VersionTable:
    """A table in which Alembic keeps its revision."""

    schema: str
    identity: str
    """as SQL names it"""
    owner: str
    writers: list[str]
    """roles of services"""
    trusted: bool
    """whether the connected role reads it with nobody else's code run"""
    disarming: list[str]
    """the statements that take away what runs when it is written"""
    revisions: tuple[str, ...] | None = None
    """None where they were not read"""
    unread: str = ""
    """why they were not"""


@dataclass(frozen=True, slots=True)
class CodeUse:
    """Something that runs a function, reads a view or keeps to a domain, and who may change that."""

    kind: str
    """trigger, rule, default, check, index, view, column, domain, ..."""
    name: str | None
    """as SQL names it; none of what is a relation itself"""
    relation: str | None
    schema: str | None
    owner: str
    """the role with whose privileges it runs at least; of a foreign key, the owner of the referenced table"""
    code_kind: str
    """function, aggregate, domain or view"""
    code: str
    """as SQL names it"""
    code_owner: str
    executors: list[str]
    """who may execute it, apart from its owner"""
    ranged: bool
    """it is how the server measures a range type: nobody needs EXECUTE for that"""
    evaluated: str | None
    """the stored tree of what planning looks at, with the first of a thing's rows"""
    called: str | None
    """how a tree names a call of it; none where planning leaves it alone"""
    operated: list[str]
    """the same, of operators that are made of it"""
    remedy: str | None
    views: list[str]
    """that show a column"""
    indexes: list[str]
    """on a column"""


@dataclass(frozen=True, slots=True)
class StatementRunner:
    """A view in which a function runs what is in a text as whoever reads the view."""

    view: str
    code: str
    owner: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A table with row security, with one of its policies for reading."""

    schema: str
    name: str
    identity: str
    owner: str
    forced: bool
    policy: str | None
    """none where no policy is for reading"""
    permissive: bool
    all_rows: bool
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Shadow:
    """Something that has a name of the system's, where others' sessions may meet it first."""

    kind: str
    schema: str
    identity: str
    owner: str
    remedy: str


@dataclass(frozen=True)
class Catalog:
    major: int
    roles: dict[str, Role]
    memberships: tuple[Membership, ...]
    settings: tuple[Setting, ...]
    databases: dict[str, Database]
    schemas: dict[str, Schema]
    relations: tuple[Relation, ...]
    """in the declared schemas, and where roles of the stack own anything"""
    strangers: tuple[Owned, ...]
    """owned by another than the service, or by a role of the stack outside of its schema"""
    entries: tuple[Entry, ...]
    lost: tuple[Entry, ...]
    """privileges that owners in the same schemas revoked from themselves"""
    defaults: tuple[Default, ...]
    views: tuple[View, ...]
    inherits: tuple[Inherits, ...]
    definers: tuple[Definer, ...]
    """all of them; who may call each is in `entries`"""
    functions: Functions = field(default_factory=dict)
    """that services are declared to call, by the declaration"""
    placed: Mapping[str, bool] = field(default_factory=dict)
    """what findings about other things place (`engarde.checks.foreseen`) -> whether that takes a superuser"""

    @cached_property
    def belongs_to(self) -> Mapping[str, str]:
        """Sequence -> the table that it follows, both as SQL names them."""
        return {relation.identity: relation.table for relation in self.relations if relation.table}

    def relocated(self, identity: str, schema: str) -> str:
        """How SQL names something of one schema once it is in another."""
        here = next(here for here in self.schemas.values() if identity.startswith(f"{here.identity}."))
        return self.schemas[schema].identity + identity.removeprefix(here.identity)

    def trusted(self, admin: str) -> frozenset[str]:
        """The roles whose code may run with the privileges of others."""
        return frozenset({admin, *(role.name for role in self.roles.values() if role.superuser)})


def read(stack: DatabaseStack, asked: Session) -> Catalog:
    """The catalogs of the stack's database."""
    services = {service.schema_: service.role for service in stack.services}
    # PostgreSQL 15 brought the access lists of parameters.
    of_parameters = asked.query("parameter_acl", Entry) if asked.major >= 15 else []
    strangers = asked.query(
        "objects", Owned, schemas=list(services), owners=list(services.values()), roles=list(stack.roles)
    )
    schemas = sorted({*stack.schemas, *(stranger.schema for stranger in strangers if stranger.schema)})
    return Catalog(
        major=asked.major,
        roles={role.name: role for role in asked.query("all_roles", Role)},
        memberships=tuple(asked.query("memberships", Membership)),
        settings=tuple(asked.query("settings", Setting)),
        databases={database.name: database for database in asked.query("databases", Database)},
        schemas={schema.name: schema for schema in asked.query("schemas", Schema)},
        relations=tuple(asked.query("relations", Relation, schemas=schemas)),
        strangers=tuple(strangers),
        entries=(*asked.query("acl", Entry), *of_parameters),
        lost=tuple(asked.query("lost_by_owners", Entry, schemas=schemas)),
        defaults=tuple(asked.query("default_acl", Default)),
        views=tuple(asked.query("views", View)),
        inherits=tuple(asked.query("inherits", Inherits)),
        definers=tuple(asked.query("definers", Definer)),
        functions=of_stack(asked, stack),
    )
