"""The catalogs as far as they say who may do what: read once, in one snapshot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from engarde.catalog.rows import (
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
from engarde.database import Session
from engarde.functions import Functions, of_stack
from engarde.model import Stack


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
    inherits: tuple[Inherits, ...]
    definers: tuple[Definer, ...]
    """all of them; who may call each is in `entries`"""
    functions: Functions = field(default_factory=dict)
    """that services are declared to call, by the declaration"""

    def trusted(self, admin: str) -> frozenset[str]:
        """Whose code may run with anybody's rights."""
        return frozenset({admin, *(each.name for each in self.roles.values() if each.superuser)})


def read(stack: Stack, asked: Session) -> Catalog:
    """The catalogs of the stack's database."""
    services = {service.schema_: service.role for service in stack.services}
    # PostgreSQL 15 brought the access lists of parameters.
    of_parameters = asked.rows("parameter_acl", Entry) if asked.major >= 15 else []
    return Catalog(
        major=asked.major,
        roles={role.name: role for role in asked.rows("all_roles", Role)},
        memberships=tuple(asked.rows("memberships", Membership)),
        settings=tuple(asked.rows("settings", Setting)),
        databases={each.name: each for each in asked.rows("databases", Database)},
        schemas={each.name: each for each in asked.rows("schemas", Schema)},
        relations=tuple(asked.rows("relations", Relation, schemas=sorted(stack.schemas))),
        strangers=tuple(
            asked.rows(
                "objects",
                Owned,
                schemas=list(services),
                owners=list(services.values()),
                roles=list(stack.roles),
            )
        ),
        entries=(*asked.rows("acl", Entry), *of_parameters),
        lost=tuple(asked.rows("lost_by_owners", Entry, schemas=list(services))),
        defaults=tuple(asked.rows("default_acl", Default)),
        views=tuple(asked.rows("views", View)),
        inherits=tuple(asked.rows("inherits", Inherits)),
        definers=tuple(asked.rows("definers", Definer)),
        functions=of_stack(asked, stack),
    )
