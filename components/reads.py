"""Declared reads of tables, and calls of functions, that their owners make and drop as they please.

The plugin cannot revoke on what is gone (42P01, 42883), so a grant whose table or function vanished must leave the
state without being deleted on the server: one run marks it `retain_on_delete`, and a later one may let go of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.engine import Recorded
from components.grants import OBJECT_TYPES
from components.resource_names import name_of_read
from engarde.declaration.grants import Execute
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.privileges import On, Privilege
from engarde.preflight.server_facts import ServerFacts
from engarde.pulumi_cli.resource_names import is_in
from engarde.pulumi_cli.state import GRANT, TENANT

RELEASED = "released"
"""The tenant's output that remembers which of its grants the last run marked."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A read to declare in this run."""

    row: Privilege
    vanished: bool
    """in the state, what it is on gone: declared only so that it can leave the state without a statement"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a service's reads and calls in this run."""

    reads: tuple[Planned, ...]
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
    return {name_of_read(service.name, row, database): row for row in rows}


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
    by_name = {name_of_read(service.name, row, database): row for row in declared}
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
    left = {
        name
        for name, row in in_state.items()
        if name in released and (row.function or (name in gone and name not in by_name))
    }
    granted = [Planned(row, vanished=False) for name, row in by_name.items() if name not in gone | left]
    held = [
        Planned(by_name.get(name, row), vanished=True)
        for name, row in in_state.items()
        if name in gone and name not in left
    ]
    return Plan(
        reads=tuple(granted + held),
        missing=tuple(by_name[name] for name in by_name if name in gone and name not in in_state.keys() - left),
        back=tuple(by_name[name] for name in by_name if name in left - gone),
    )


def _named(row: Privilege) -> tuple[str, ...]:
    """What a read or a call is on: no table is also a function."""
    return (row.schema or "", row.function, "") if row.function else (row.schema or "", row.table or "")


def called(row: Privilege) -> Execute:
    """The function that a recorded call is of."""
    name, _, types = (row.function or "").partition("(")
    return Execute(schema=row.schema or "", function=name, types=types.removesuffix(")"))
