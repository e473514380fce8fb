"""Roles and schemas that were made under one name or for one service, and are declared under or for another."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.model import Declarations
from engarde.declaration.names import ANALYTICS
from engarde.pulumi_cli.rotations import called
from engarde.util.quoting import statement

Kind = Literal["role", "schema"]


@dataclass(frozen=True, slots=True)
class Made:
    """A role or a schema in the state."""

    kind: Kind
    service: str
    """or `analytics`"""
    name: str


def moved(
    stack: Declarations, before: frozenset[Made], rekeyed: Collection[str], there: Collection[str]
) -> Iterator[str]:
    """What cannot be brought to what is declared, a sentence each.

    A schema's grants are revoked by its name, which is gone by then; and what has changed hands is dropped as the first
    one's. `rekeyed` are the services that come under a new key, `there` the roles that the server has.
    """
    names = {(made.kind, made.service): made.name for made in before}
    holders = {(made.kind, made.name): made.service for made in before}
    formerly = {called(login): login.formerly for login in stack.logins}
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
