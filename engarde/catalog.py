"""The catalogs as far as they say who may do what: read once, in one snapshot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from engarde.database import Session
from engarde.model import Stack


@dataclass(frozen=True, slots=True)
class Role:
    """A role and its attributes."""

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


@dataclass(frozen=True, slots=True)
class Membership:
    """A member and the role it is in."""

    role: str
    member: str
    grantor: str
    admin: bool
    inherit: bool
    may_set: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What sessions start with; without role and database, everybody's."""

    role: str | None
    database: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that is not the system's."""

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
    """a table, partitioned or not"""
    provided: bool
    columns: list[str]


@dataclass(frozen=True, slots=True)
class Owned:
    """Something in a schema."""

    kind: str
    """as ALTER has it"""
    schema: str
    name: str
    identity: str
    owner: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One right on an access list."""

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


@dataclass(frozen=True, slots=True)
class Default:
    """One right on what a role makes later; without a schema, wherever it makes it."""

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
    """A view that reads a table with the rights of its owner."""

    schema: str
    name: str
    identity: str
    owner: str
    base_schema: str
    base_name: str


@dataclass(frozen=True, slots=True)
class Definer:
    """A function that does what its owner may, whoever calls it."""

    schema: str
    name: str
    identity: str
    owner: str


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server."""

    name: str
    identity: str
    owner: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the server says."""

    major: int
    roles: dict[str, Role]
    memberships: tuple[Membership, ...]
    settings: tuple[Setting, ...]
    databases: dict[str, Database]
    schemas: dict[str, Schema]
    relations: tuple[Relation, ...]
    """in the declared schemas"""
    strangers: tuple[Owned, ...]
    """owned by another than the service, or by a role of the stack outside of its schema"""
    entries: tuple[Entry, ...]
    lost: tuple[Entry, ...]
    """rights that owners in declared schemas have by themselves and took away"""
    defaults: tuple[Default, ...]
    views: tuple[View, ...]
    definers: tuple[Definer, ...]
    """all of them; who may call each is in `entries`"""


def read(stack: Stack, asked: Session) -> Catalog:
    """The catalogs of the stack's database."""
    services = {service.schema_: service.role for service in stack.services}
    declared = sorted({*services, *(schema.name for schema in stack.existing_schemas)})
    # PostgreSQL 15 brought the access lists of parameters.
    of_parameters = asked.rows("parameter_acl", Entry) if asked.major >= 15 else []
    return Catalog(
        major=asked.major,
        roles={role.name: role for role in asked.rows("all_roles", Role)},
        memberships=tuple(asked.rows("memberships", Membership)),
        settings=tuple(asked.rows("settings", Setting)),
        databases={each.name: each for each in asked.rows("databases", Database)},
        schemas={each.name: each for each in asked.rows("schemas", Schema)},
        relations=tuple(asked.rows("relations", Relation, schemas=declared)),
        strangers=tuple(
            asked.rows(
                "objects",
                Owned,
                schemas=list(services),
                owners=list(services.values()),
                roles=[login.role for login in stack.logins],
            )
        ),
        entries=(*asked.rows("acl", Entry), *of_parameters),
        lost=tuple(asked.rows("lost_by_owners", Entry, schemas=list(services))),
        defaults=tuple(asked.rows("default_acl", Default)),
        views=tuple(asked.rows("views", View)),
        definers=tuple(asked.rows("definers", Definer)),
    )
