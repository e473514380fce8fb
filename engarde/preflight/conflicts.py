"""Conflicts between a stack and its server: roles and schemas of others, and roles that are missing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.declared import NOTHING
from engarde.declaration.model import Analytics, DatabaseStack, Declarations, Service
from engarde.declaration.names import ANALYTICS
from engarde.declaration.resource_names import login_name
from engarde.server.catalog import Existing, owners_of, roles_of
from engarde.util.quoting import statement
from engarde.util.terminal import visible

Kind = Literal["role", "schema"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A role or a schema of the stack that exists on the server and is not managed by the stack."""

    kind: Kind
    name: str
    login: Service | Analytics
    """what it is declared for"""
    owner: str | None = None
    """of a schema"""

    def __str__(self) -> str:
        whose = "is not managed by this stack" if self.kind == "role" else f"belongs to {visible(self.owner or '')}"
        return (
            f"{self.kind} {self.name} already exists but {whose}: set `adopt: true` to take it over, or `{self.kind}:`"
            " to use another name"
        )


def roles(stack: DatabaseStack) -> list[str]:
    """Every role that the stack creates or names."""
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
    """Conflicts and missing roles, a sentence each; arguments as in `taken`."""
    yield from map(str, taken(stack, existing, own_roles, renamed))
    yield from _lost(stack, existing, own_roles)
    for name in absent(stack, existing):
        yield f"role {name} does not exist: create it, or remove it from outsideRoles and creators"


def taken(
    stack: DatabaseStack,
    existing: Collection[Existing],
    own_roles: Collection[str],
    renamed: Mapping[str, str] = NOTHING,
) -> Iterator[Taken]:
    """Conflicting roles, then schemas.

    `own_roles` are the roles in this stack's state; `renamed` maps renamed roles to their old names.
    """
    there = roles_of(existing)
    owners = owners_of(existing)
    for login in stack.logins:
        if login.role in there - set(own_roles) and not login.adopt:
            yield Taken("role", login.role, login)
    for service in stack.services:
        owner = owners.get(service.schema_)
        # If somebody gave the schema of a role in the state to another role, that is drift, and `up` repairs it.
        own = (None, stack.server.user, service.role, renamed.get(service.role))
        if owner not in own and service.role not in own_roles and not service.adopt:
            yield Taken("schema", service.schema_, service, owner)


def _lost(stack: DatabaseStack, existing: Collection[Existing], own_roles: Collection[str]) -> Iterator[str]:
    """Roles that somebody renamed by hand: a new role would lack what the renamed one has."""
    there = roles_of(existing)
    owners = owners_of(existing)
    for service in stack.services:
        owner = owners.get(service.schema_)
        if service.role in {*own_roles} - there and owner not in (None, stack.server.user, service.role):
            back = statement("ALTER ROLE {} RENAME TO {}", owner, service.role)
            give = statement("ALTER SCHEMA {} OWNER TO {}", service.schema_, stack.server.user)
            yield (
                f"role {service.role} does not exist, but schema {service.schema_} belongs to {visible(owner or '')}."
                f" If the role was renamed, run `{back}` (`formerly` renames it). If it was dropped, run `{give}`"
            )


def absent(stack: DatabaseStack, existing: Collection[Existing]) -> list[str]:
    """Roles that the stack names but does not create, and that do not exist."""
    there = roles_of(existing)
    return sorted(_others(stack) - there - {login.role for login in stack.logins})


@dataclass(frozen=True, slots=True)
class Made:
    kind: Kind
    service: str
    """or `analytics`"""
    name: str


def rename_faults(
    stack: Declarations, before: frozenset[Made], rekeyed: Collection[str], there: Collection[str]
) -> Iterator[str]:
    """Renames that one run cannot make, a sentence each.

    The provider revokes a schema's grants by its name, which would not exist by then, and drops under the old key what
    another service got. `rekeyed` are the services with a new key, `there` the roles that the server has.
    """
    names = {(made.kind, made.service): made.name for made in before}
    holders = {(made.kind, made.name): made.service for made in before}
    formerly = {login_name(login): login.formerly for login in stack.logins}
    for made in _declared(stack):
        was = names.get((made.kind, made.service), made.name)
        holder = holders.get((made.kind, made.name), made.service)
        if was != made.name and made.kind == "role":
            if made.service not in rekeyed and formerly[made.service] != was:
                yield (
                    f"role {was} was created for {made.service}, but the stack file declares {made.name}: set"
                    f" `role: {was}` to keep it, or `formerly: {was}` to rename it"
                )
            elif made.name in there:
                yield f"role {was} cannot be renamed to {made.name}, which already exists: set `role:` to another name"
        elif was != made.name:
            rename = statement("ALTER SCHEMA {} RENAME TO {}", was, made.name)
            yield (
                f"schema {was} cannot be renamed to {made.name} in one step: set `schema: {was}` to keep it, or run"
                f" `{rename}`, then `pulumi refresh`, then `pulumi up`"
            )
        elif holder != made.service:
            rekey = f", or rename {holder} with `formerly: {holder}`" if made.service in formerly else ""
            yield f"{made.kind} {made.name} was created for {holder} and cannot go to another: keep it there{rekey}"


def _declared(stack: Declarations) -> Iterator[Made]:
    for service in stack.services:
        yield Made("role", service.name, service.role)
        yield Made("schema", service.name, service.schema_)
    if stack.analytics:
        yield Made("role", ANALYTICS, stack.analytics.role)
    for schema in stack.existing_schemas:
        yield Made("schema", "engarde:existingSchemas", schema.name)
