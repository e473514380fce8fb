"""The service that each schema and each role belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engarde.declaration.declared import Thresholds
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import ANALYTICS, PUBLIC
from engarde.util.unknown import UnknownName


@dataclass(frozen=True, slots=True)
class Subject:
    """A service of the stack, the owner of an existing schema, or analytics."""

    name: str
    schemas: tuple[str, ...]
    roles: tuple[str, ...]
    """the roles whose sessions and statements count as its own"""
    thresholds: Thresholds


def subjects(stack: DatabaseStack) -> tuple[Subject, ...]:
    """All subjects, services first; no schema and no role belongs to two of them."""
    default = stack.status
    found = {
        service.name: Subject(
            service.name, (service.schema_,), (service.role,), (service.status or Thresholds()).over(default)
        )
        for service in stack.services
    }
    taken = {login.role for login in stack.logins}
    # A role that makes tables in `public` and elsewhere, as the admin does by default, belongs to the backend.
    for schema in sorted(stack.existing_schemas, key=lambda schema: schema.name != PUBLIC):
        name = schema.service or schema.name
        roles = tuple(role for role in schema.creators if role not in taken)
        taken.update(roles)
        before = found.get(name, Subject(name, (), (), (schema.status or Thresholds()).over(default)))
        found[name] = replace(before, schemas=(*before.schemas, schema.name), roles=(*before.roles, *roles))
    if stack.analytics:
        limits = (stack.analytics.status or Thresholds()).over(default)
        before = found.get(ANALYTICS, Subject(ANALYTICS, (), (), limits))
        found[ANALYTICS] = replace(before, roles=(*before.roles, stack.analytics.role))
    return tuple(found.values())


def chosen(stack: DatabaseStack, name: str | None) -> tuple[Subject, ...]:
    """All of them, or the one of this name.

    :raises UnknownName: no subject has this name.
    """
    every = subjects(stack)
    one = [subject for subject in every if name in (None, subject.name)]
    if name and not one:
        raise UnknownName(f"stack {stack.name}", "service", [name], [subject.name for subject in every])
    return tuple(one)


def of_roles(every: Iterable[Subject]) -> dict[str, str]:
    """Role -> the name of its subject."""
    return {role: subject.name for subject in every for role in subject.roles}


def of_schemas(every: Iterable[Subject]) -> dict[str, str]:
    """Schema -> the name of its subject."""
    return {schema: subject.name for subject in every for schema in subject.schemas}
