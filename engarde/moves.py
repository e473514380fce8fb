"""Roles and schemas that were made under one name or for one service, and are declared under or for another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engarde.model import Stack
from engarde.names import ANALYTICS
from engarde.quoting import statement

Kind = Literal["role", "schema"]


@dataclass(frozen=True, slots=True)
class Made:
    """A role or a schema in the state."""

    kind: Kind
    service: str
    """or `analytics`"""
    name: str


def moved(stack: Stack, before: frozenset[Made]) -> Iterator[str]:
    """What cannot be brought to what is declared, a sentence each.

    A grant is revoked by names, of which one is gone by then; and what has changed hands is dropped as the first one's.
    """
    names = {(made.kind, made.service): made.name for made in before}
    holders = {(made.kind, made.name): made.service for made in before}
    for made in _declared(stack):
        was = names.get((made.kind, made.service), made.name)
        holder = holders.get((made.kind, made.name), made.service)
        if was != made.name and made.kind == "role":
            yield f"role {was} was made for {made.service} and cannot become {made.name}: keep it with `role: {was}`"
        elif was != made.name:
            rename = statement("ALTER SCHEMA {} RENAME TO {}", was, made.name)
            yield (
                f"schema {was} cannot become {made.name} in one step: run `{rename}`, then `pulumi refresh`,"
                " then `pulumi up`"
            )
        elif holder != made.service:
            yield f"{made.kind} {made.name} was made for {holder} and cannot go to another: keep it there"


def _declared(stack: Stack) -> Iterator[Made]:
    for service in stack.services:
        yield Made("role", service.name, service.role)
        yield Made("schema", service.name, service.schema_)
    if stack.analytics:
        yield Made("role", ANALYTICS, stack.analytics.role)
    for schema in stack.existing_schemas:
        yield Made("schema", "engarde:existingSchemas", schema.name)
