"""Roles and schemas of the server that a stack has to leave alone, and others' roles that it needs."""

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
    """A role or a schema of the stack that is on the server and is another's."""

    kind: Kind
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
    there = roles_of(existing)
    owners = owners_of(existing)
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
    there = roles_of(existing)
    owners = owners_of(existing)
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
    """What cannot be brought to what is declared, a sentence each.

    A schema's grants are revoked by its name, which is gone by then; and what has changed hands is dropped as the first
    one's. `rekeyed` are the services that come under a new key, `there` the roles that the server has.
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
                    f"role {was} was made for {made.service} and is declared as {made.name}: keep it with"
                    f" `role: {was}`, or rename it with `formerly: {was}`"
                )
            elif made.name in there:
                yield f"role {was} cannot become {made.name}, which exists already: name another one with `role:`"
        elif was != made.name:
            rename = statement("ALTER SCHEMA {} RENAME TO {}", was, made.name)
            yield (
                f"schema {was} cannot become {made.name} in one step: keep it with `schema: {was}`, or run `{rename}`,"
                " then `pulumi refresh`, then `pulumi up`"
            )
        elif holder != made.service:
            rekey = f", or with `formerly: {holder}`" if made.service in formerly else ""
            yield f"{made.kind} {made.name} was made for {holder} and cannot go to another: keep it there{rekey}"


def _declared(stack: Declarations) -> Iterator[Made]:
    for service in stack.services:
        yield Made("role", service.name, service.role)
        yield Made("schema", service.name, service.schema_)
    if stack.analytics:
        yield Made("role", ANALYTICS, stack.analytics.role)
    for schema in stack.existing_schemas:
        yield Made("schema", "engarde:existingSchemas", schema.name)
