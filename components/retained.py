"""What leaves the state and stays on the server: grants on what is gone, and what a service has left elsewhere.

The plugin cannot revoke on a table or a function that its owner has dropped (42P01, 42883), and what a service has in
a database that it has moved out of is not this program's to drop. A run that deletes or replaces goes by what the state
says of the old resource: one run marks it `retain_on_delete`, and a later one may let go of it.
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
"""The tenant's output that remembers which of its grants the last run marked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a service's declared reads of tables and calls of functions in this run."""

    granted: tuple[Privilege, ...]
    vanished: tuple[Privilege, ...]
    """in the state, what they are on gone: declared only so that they can leave the state without a statement"""
    missing: tuple[Privilege, ...]
    """declared, not there, never granted: left out"""
    back: tuple[Privilege, ...]
    """declared and there again, but still in the state as what had vanished: left out"""


def recorded_reads(
    service: Service, database: DatabaseStack, recorded: Iterable[Recorded], roles: Mapping[str, str]
) -> dict[str, Privilege]:
    """The service's reads and calls in the database in the state, by the name that their resource has now.

    They are its only grants on single tables and functions. `roles` are those that have other names now, with the old
    ones.
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
    """Each declared read and call of what is there, and each recorded one of what is gone."""
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
    # Left out now, which lets go of it without a statement: what is undeclared, and a function, of which the plugin
    # never sees that it is back without its grants.
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
    """What a read or a call is on: no table is also a function."""
    return (row.schema or "", row.function, "") if row.function else (row.schema or "", row.table or "")


def places(stack: Stack, recorded: Iterable[Recorded]) -> tuple[DatabaseStack, ...]:
    """Every database of the stack, and after them those in which only the state still has something to look after.

    :raises ConfigError: one of those is on a server that the stack file names no more.
    """
    declared = databases(stack)
    labels = {place: found.name for found in recorded if not marked(found) and (place := database_label(found.name))}
    known = {place_of(database) for database in declared}
    return (*declared, *(_former(stack, *place, labels[place]) for place in sorted(labels.keys() - known)))


def _former(stack: Stack, label: str, elsewhere: bool, resource: str) -> DatabaseStack:
    if elsewhere != (label in {server.name for server in stack.other_servers}):
        server = "another server" if elsewhere else "the shared server"
        what = f"put engarde:databases.{label} back" if elsewhere else f"give engarde:databases.{label} another key"
        raise ConfigError(
            f"{file_name(stack.name)}: the state has {resource}, which was made in database {label} of {server}:"
            f" {what}, at least until no service is there and `up` has run twice. Nothing was changed"
        )
    return restrict_to(stack, label)


def marked(found: Recorded) -> bool:
    """Whether it may leave the state by now, told by a property that only the run which marks it gives it.

    What is neither a schema nor a role goes by itself.
    """
    if found.type == SCHEMA:
        return found.outputs.get("ifNotExists") is False
    return found.type != ROLE or found.outputs.get("login") is False


def left(service: Service, home: DatabaseStack, recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """The service's roles and schemas in the state that are not where it is now, and are not let go of yet."""
    here = {SCHEMA: in_database(f"{service.name}-schema", home), ROLE: on_server(f"{service.name}-role", home)}
    for found in recorded:
        now = here.get(found.type)
        if now and found.name != now and base_name(found.name) == base_name(now) and not marked(found):
            yield found
