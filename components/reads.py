"""Declared reads of tables that their owners make and drop as they please.

The plugin cannot revoke on a table that is gone (42P01), so a grant whose table vanished must leave the state
without being deleted on the server: one run marks it `retain_on_delete`, and a later one may let go of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from components.engine import Recorded
from components.resource_names import name_of_read
from engarde.model import Service, Stack, Table
from engarde.places import base_of, placed
from engarde.privileges import On, Privilege
from engarde.stack import GRANT, TENANT

RELEASED = "released"
"""The tenant's output that remembers which of its grants the last run marked."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A read to declare in this run."""

    row: Privilege
    vanished: bool
    """in the state, its table gone: declared only so that it can leave the state without a statement"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a service's reads in this run."""

    reads: tuple[Planned, ...]
    missing: tuple[Table, ...]
    """declared, not there, never granted: left out"""


def recorded_reads(
    service: Service, part: Stack, recorded: Iterable[Recorded], roles: Mapping[str, str]
) -> dict[str, Privilege]:
    """The service's reads in the part's database as the state has them, by the name that their resource has now.

    They are its only grants on single tables. `roles` are those that have other names now, with the old ones.
    """
    names = {service.role, roles.get(service.role)}
    rows = (
        _row(found, service.role)
        for found in recorded
        if found.type == GRANT and found.outputs.get("role") in names and found.outputs.get("objects")
        if found.name == placed(base_of(found.name), part)
    )
    return {name_of_read(service.name, row, part): row for row in rows}


def _row(found: Recorded, role: str) -> Privilege:
    outputs = found.outputs
    return Privilege(
        grantee=role,
        on=On.COLUMNS if outputs["objectType"] == "column" else On.TABLE,
        database=outputs["database"],
        rights=tuple(outputs.get("privileges") or ()),
        schema=outputs["schema"],
        table=outputs["objects"][0],
        columns=tuple(outputs.get("columns") or ()),
    )


def plan(
    service: Service,
    part: Stack,
    declared: Iterable[Privilege],
    tables: frozenset[Table],
    recorded: tuple[Recorded, ...],
    roles: Mapping[str, str],
) -> Plan:
    """Each declared read of a table that is there, and each recorded one whose table is gone."""
    in_state = recorded_reads(service, part, recorded, roles)
    by_name = {name_of_read(service.name, row, part): row for row in declared}
    gone = {name for name, row in {**in_state, **by_name}.items() if _table(row) not in tables}
    there = [Planned(row, vanished=False) for name, row in by_name.items() if name not in gone]
    held = [Planned(row, vanished=True) for name, row in _held(service.name, by_name, in_state, gone, recorded)]
    return Plan(
        reads=tuple(there + held),
        missing=tuple(dict.fromkeys(_table(by_name[name]) for name in by_name if name in gone - in_state.keys())),
    )


def _held(
    service: str,
    declared: dict[str, Privilege],
    in_state: dict[str, Privilege],
    gone: set[str],
    recorded: Iterable[Recorded],
) -> Iterator[tuple[str, Privilege]]:
    released = {
        name
        for found in recorded
        if found.type == TENANT and found.name == service
        for name in found.outputs.get(RELEASED) or ()
    }
    for name, row in in_state.items():
        # Undeclared and marked by the last run: left out now, which lets go of it without a statement.
        if name in gone and (name in declared or name not in released):
            yield name, declared.get(name, row)


def _table(row: Privilege) -> Table:
    return row.schema or "", row.table or ""
