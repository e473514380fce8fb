"""The catalogs as far as they say who may do what: read once, in one snapshot, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engarde.declaration.model import DatabaseStack
from engarde.server.catalog.rows import (
    Database,
    Default,
    Definer,
    Entry,
    Inherits,
    Membership,
    Owned,
    Relation,
    Role,
    Schema,
    Setting,
    View,
)
from engarde.server.functions import Functions, of_stack
from engarde.server.session import Session


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
    """in the declared schemas, and where roles of the stack own anything"""
    strangers: tuple[Owned, ...]
    """owned by another than the service, or by a role of the stack outside of its schema"""
    entries: tuple[Entry, ...]
    lost: tuple[Entry, ...]
    """rights that owners in the same schemas have by themselves and took away"""
    defaults: tuple[Default, ...]
    views: tuple[View, ...]
    inherits: tuple[Inherits, ...]
    definers: tuple[Definer, ...]
    """all of them; who may call each is in `entries`"""
    functions: Functions = field(default_factory=dict)
    """that services are declared to call, by the declaration"""
    placed: Mapping[str, bool] = field(default_factory=dict)
    """what findings about other things place (`engarde.checks.foreseen`) -> whether that takes a superuser"""

    @property
    def belongs_to(self) -> Mapping[str, str]:
        """Sequence -> the table that it follows, both as SQL names them."""
        return {relation.identity: relation.table for relation in self.relations if relation.table}

    def relocated(self, identity: str, schema: str) -> str:
        """How SQL names something of one schema once it is in another."""
        here = next(each for each in self.schemas.values() if identity.startswith(f"{each.identity}."))
        return self.schemas[schema].identity + identity.removeprefix(here.identity)

    def trusted(self, admin: str) -> frozenset[str]:
        """Whose code may run with anybody's rights."""
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
