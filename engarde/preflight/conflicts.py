"""Roles and schemas of the server that a stack has to leave alone, and others' roles that it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.server.catalog.rows import Existing
from engarde.util.quoting import statement
from engarde.util.visible import visible

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taken:
    """A role or a schema of the stack that is on the server and is another's."""

    kind: Literal["role", "schema"]
    name: str
    login: Service | Analytics
    """what it is declared for"""
    owner: str | None = None
    """of a schema"""

    def __str__(self) -> str:
        whose = "not this stack's" if self.kind == "role" else f"{visible(self.owner or '')}'s"
        return (
            f"{self.kind} {self.name} exists already and is {whose}: `adopt: true` takes it over,"
            f" `{self.kind}:` names another one"
        )


def roles(stack: DatabaseStack) -> list[str]:
    """Every role that the stack makes or names."""
    return sorted({login.role for login in stack.logins} | _others(stack))


def _others(stack: DatabaseStack) -> set[str]:
    creators = {creator for schema in stack.existing_schemas for creator in schema.creators}
    return creators | {role.name for role in stack.outside_roles}


def faults(
    stack: DatabaseStack,
    existing: Collection[Existing],
    own_roles: Collection[str],
    renamed: Mapping[str, str] = NOTHING,
) -> Iterator[str]:
    """What is another's and what is not there, a sentence each; arguments as of `taken`."""
    yield from map(str, taken(stack, existing, own_roles, renamed))
    yield from _lost(stack, existing, own_roles)
    for name in absent(stack, existing):
        yield f"role {name} does not exist: make it, or take it out of outsideRoles and creators"


def taken(
    stack: DatabaseStack,
    existing: Collection[Existing],
    own_roles: Collection[str],
    renamed: Mapping[str, str] = NOTHING,
) -> Iterator[Taken]:
    """What is another's, roles before schemas.

    `own_roles` are those in the state of this stack, `renamed` the old names of those that have other ones now.
    """
    there = {each.name for each in existing if each.kind == "role"}
    owners = {each.name: each.owner for each in existing if each.kind == "schema"}
    for login in stack.logins:
        if login.role in there - set(own_roles) and not login.adopt:
            yield Taken("role", login.role, login)
    for service in stack.services:
        owner = owners.get(service.schema_)
        # A role of this stack that lost its schema to another by hand is drift, and repaired.
        own = (None, stack.server.user, service.role, renamed.get(service.role))
        if owner not in own and service.role not in own_roles and not service.adopt:
            yield Taken("schema", service.schema_, service, owner)


def _lost(stack: DatabaseStack, existing: Collection[Existing], own_roles: Collection[str]) -> Iterator[str]:
    """Made anew, a role would lack whatever the one had that somebody has renamed."""
    there = {each.name for each in existing if each.kind == "role"}
    owners = {each.name: each.owner for each in existing if each.kind == "schema"}
    for service in stack.services:
        owner = owners.get(service.schema_)
        if service.role in {*own_roles} - there and owner not in (None, stack.server.user, service.role):
            back = statement("ALTER ROLE {} RENAME TO {}", owner, service.role)
            give = statement("ALTER SCHEMA {} OWNER TO {}", service.schema_, stack.server.user)
            yield (
                f"role {service.role} is gone, and schema {service.schema_} is {visible(owner or '')}'s. If somebody"
                f" has renamed it: `{back}`, and `formerly` gives it another name. If it was dropped: `{give}`"
            )


def absent(stack: DatabaseStack, existing: Collection[Existing]) -> list[str]:
    """Roles that the stack names without making them, and that nobody has made."""
    there = {each.name for each in existing if each.kind == "role"}
    return sorted(_others(stack) - there - {login.role for login in stack.logins})
