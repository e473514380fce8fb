"""What leaves the state without a statement: grants on dropped objects, and what a moved service left behind.

The provider cannot revoke on a table or a function that its owner dropped (42P01, 42883), and this program must not
drop what a service has in a database that it moved out of. Whether a run drops a deleted resource depends on the old
resource in the state: so one run marks it `retain_on_delete`, and a later one may remove it from the state.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from components.engine import Recorded
from components.grants import OBJECT_TYPES, name_of
from engarde.declaration.databases import databases, restrict_to
from engarde.declaration.model import DatabaseStack, Service, Stack
from engarde.declaration.privileges import On, Privilege
from engarde.declaration.resource_names import base_name, database_label, in_database, is_in, on_server, place_of
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError
from engarde.preflight.server_facts import ServerFacts
from engarde.pulumi_cli.state import GRANT, ROLE, SCHEMA, TENANT

RELEASED = "released"
"""The tenant's output that records which of its grants the last run marked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What this run does with a service's declared reads of tables and calls of functions."""

    granted: tuple[Privilege, ...]
    vanished: tuple[Privilege, ...]
    """in the state, but the object was dropped: declared only so that they can leave the state without a statement"""
    missing: tuple[Privilege, ...]
    """declared, never granted, and the object does not exist: left out"""
    back: tuple[Privilege, ...]
    """declared, and the object exists again, but the state still has them as vanished: left out"""


def recorded_reads(
    service: Service, database: DatabaseStack, recorded: Iterable[Recorded], roles: Mapping[str, str]
) -> dict[str, Privilege]:
    """The service's reads and calls in the database, as the state has them, by the name that their resource has now.

    They are its only grants on single tables and functions. `roles` maps renamed roles to their old names.
    """
    names = {service.role, roles.get(service.role)}
    rows = (
        _row(found, service.role)
        for found in recorded
        if found.type == GRANT and found.outputs.get("role") in names and found.outputs.get("objects")
        if is_in(found.name, database)
    )
    return {name_of(service.name, row, database): row for row in rows}


def _row(found: Recorded, role: str) -> Privilege:
    outputs = found.outputs
    [name], kind = outputs["objects"], outputs["objectType"]
    on = next(on for on in (On.COLUMNS, On.FUNCTION, On.TABLE) if OBJECT_TYPES[on] == kind)
    return Privilege(
        grantee=role,
        on=on,
        database=outputs["database"],
        rights=tuple(outputs.get("privileges") or ()),
        schema=outputs["schema"],
        table=None if on is On.FUNCTION else name,
        function=name if on is On.FUNCTION else None,
        columns=tuple(outputs.get("columns") or ()),
    )


def plan(
    service: Service,
    database: DatabaseStack,
    declared: Iterable[Privilege],
    found: ServerFacts,
    recorded: tuple[Recorded, ...],
    roles: Mapping[str, str],
) -> Plan:
    """Plans each declared read and call, and each one in the state whose object was dropped."""
    in_state = recorded_reads(service, database, recorded, roles)
    by_name = {name_of(service.name, row, database): row for row in declared}
    there = {*found.tables, *((function.schema, function.signature, "") for function in found.functions.values())}
    gone = {name for name, row in {**in_state, **by_name}.items() if _named(row) not in there}
    released = {
        name
        for resource in recorded
        if resource.type == TENANT and resource.name == service.name
        for name in resource.outputs.get(RELEASED) or ()
    }
    # Left out, so that they leave the state without a statement: undeclared ones, and functions, since the provider
    # does not see that a function is back without its grants.
    let_go = {
        name
        for name, row in in_state.items()
        if name in released and (row.function or (name in gone and name not in by_name))
    }
    return Plan(
        granted=tuple(row for name, row in by_name.items() if name not in gone | let_go),
        vanished=tuple(by_name.get(name, row) for name, row in in_state.items() if name in gone - let_go),
        missing=tuple(row for name, row in by_name.items() if name in gone and name not in in_state.keys() - let_go),
        back=tuple(row for name, row in by_name.items() if name in let_go - gone),
    )


def _named(row: Privilege) -> tuple[str, ...]:
    """The object of a read or a call; tables and functions never have equal keys."""
    return (row.schema or "", row.function, "") if row.function else (row.schema or "", row.table or "")


def places(stack: Stack, recorded: Iterable[Recorded]) -> tuple[DatabaseStack, ...]:
    """Every database of the stack, and after them those that only the state still has.

    :raises ConfigError: one of those is on a server that the stack file no longer names.
    """
    declared = databases(stack)
    labels = {place: found.name for found in recorded if not marked(found) and (place := database_label(found.name))}
    known = {place_of(database) for database in declared}
    return (*declared, *(_former(stack, *place, labels[place]) for place in sorted(labels.keys() - known)))


def _former(stack: Stack, label: str, elsewhere: bool, resource: str) -> DatabaseStack:
    if elsewhere != (label in {server.name for server in stack.other_servers}):
        server = "another server" if elsewhere else "the shared server"
        what = f"Restore engarde:databases.{label}" if elsewhere else f"Give engarde:databases.{label} another key"
        raise ConfigError(
            f"{file_name(stack.name)}: the state has {resource}, which was created in database {label} of {server}."
            f" Nothing was changed. {what}, at least until no service is there and `up` has run twice"
        )
    return restrict_to(stack, label)


def marked(found: Recorded) -> bool:
    """Whether it may leave the state: the run that marks it sets a property that no other run sets.

    Only schemas and roles need that.
    """
    if found.type == SCHEMA:
        return found.outputs.get("ifNotExists") is False
    return found.type != ROLE or found.outputs.get("login") is False


def left(service: Service, home: DatabaseStack, recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """The service's roles and schemas in the state that are not in its current database, and not marked yet."""
    here = {SCHEMA: in_database(f"{service.name}-schema", home), ROLE: on_server(f"{service.name}-role", home)}
    for found in recorded:
        now = here.get(found.type)
        if now and found.name != now and base_name(found.name) == base_name(now) and not marked(found):
            yield found
