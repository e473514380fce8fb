"""What the state tells of an earlier run, as far as the server has to be asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pulumi

from components.database import ADMIN
from components.engine import Recorded, taken_over
from components.former import left, marked
from components.reads import called as function
from components.reads import recorded_reads
from components.renames import Renames
from components.resource_names import PUBLICS, name_of, outsiders
from engarde.access import Access
from engarde.beforehand import Given
from engarde.errors import Refused
from engarde.leaving import Leaving, Left, Moved
from engarde.model import Stack
from engarde.moves import Made
from engarde.names import ANALYTICS
from engarde.parts import called, home
from engarde.places import base_of, label_of, placed, placed_on_server
from engarde.privileges import baseline, outside, outside_reads, reader, tenant
from engarde.rotations import SUFFIX
from engarde.split import journal
from engarde.stack import PASSWORD, PROVIDER, READER, ROLE, SCHEMA, TENANT, rotation
from engarde.survey import Before


def before(part: Stack, stack: Stack, renames: Renames) -> Before:
    """The schemas in which services read, those of services that are declared no more, and all that was made.

    All of it in the part's database; of roles, on its server.
    """
    recorded, roles = renames.recorded, renames.roles(part)
    reads = [row for service in stack.services for row in recorded_reads(service, part, recorded, roles).values()]
    services = {service.name for service in stack.services}
    declared = {f"{service}-schema" for service in services}
    here = _here(part, recorded)
    # A schema that is declared here for another service by now is not left behind, and is refused as that.
    retired = (
        each
        for each in here
        if base_of(each.name) not in declared and each.outputs["name"] not in part.schemas and not marked(each)
    )
    return Before(
        read=frozenset(row.schema or "" for row in reads if row.table),
        called=frozenset(function(row) for row in reads if row.function),
        retired=frozenset(found.outputs["name"] for found in retired),
        going=frozenset(made.name for made in _roles(part, recorded) if made.service not in services),
        made=frozenset((*_schemas(here), *_roles(part, recorded))),
        taken_over=taken_over(),
        rekeyed=frozenset(renames.keys),
        renamed=roles,
        given=_given(part, stack, recorded),
    )


def _given(part: Stack, stack: Stack, recorded: tuple[Recorded, ...]) -> Given:
    # A grant on single tables leaves what else there is, the provider reads that, and the next run takes it.
    there = {each.name: {*(each.outputs.get("privileges") or ())} for each in recorded}
    rows = [
        (PUBLICS, baseline(part)),
        *((outsiders(role), [*outside(part, role), *outside_reads(part, role)]) for role in part.outside_roles),
        *((service.name, tenant(part, service)) for service in part.services),
        (ANALYTICS, reader(part, part.analytics) if part.analytics else []),
    ]
    return Given(
        roles=frozenset(made.name for made in _roles(part, recorded)) | taken_over(),
        rotations=counters(recorded),
        due=tuple(
            row
            for owner, of in rows
            for row in of
            if (held := there.get(name_of(owner, row, part))) is None or held - {*row.rights}
        ),
        outside=frozenset(role.name for role in stack.outside_roles),
    )


def leaving(part: Stack, stack: Stack, recorded: tuple[Recorded, ...]) -> Leaving:
    """What a run would leave where the state has it, of what is in the part's database by the one or the other."""
    return Leaving(part, tuple(_left(part, stack, recorded)), _moved(part, recorded))


def _left(part: Stack, stack: Stack, recorded: tuple[Recorded, ...]) -> Iterator[Left]:
    """What services have in the part's database by the state, and in another by the stack file."""
    place = (part.label, part.elsewhere) if part.label else None
    for service in stack.services:
        now = home(stack, service)
        for found in left(service, now, recorded):
            if found.type == SCHEMA and label_of(found.name) == place:
                each = Left(service.name, found.outputs["name"], called(part), called(now))
                way, preview = (part.label, service.database), pulumi.runtime.is_dry_run()
                moves = journal.names(stack.name, service.name, way, preview=preview)
                yield replace(each, named=moves or each.place in service.leaves)


def _moved(part: Stack, recorded: tuple[Recorded, ...]) -> Moved | None:
    """Where the state has the part's database, unless that is where it is declared."""
    for found in recorded:
        if found.type == PROVIDER and found.name == placed_on_server(ADMIN, part):
            was = found.outputs
            address = {"host": was["host"], "port": int(was["port"]), "sslmode": was.get("sslmode")}
            database = was["database"] if part.server_wide else part.server.database
            server = part.server.model_copy(update={**address, "database": database})
            if server.place != part.server.place:
                schemas = tuple(sorted(each.outputs["name"] for each in _here(part, recorded) if not marked(each)))
                return Moved(Access(server, database, was["username"], was["password"]), schemas)
    return None


def _here(part: Stack, recorded: Iterable[Recorded]) -> list[Recorded]:
    return [each for each in recorded if each.type == SCHEMA and each.name == placed(base_of(each.name), part)]


PROTECTED = "protected"
"""The output by which a service or the reader remembers that the last run protected its role and schema."""


def refuse_to_drop_protected(stack: Stack, recorded: Iterable[Recorded]) -> None:
    """The engine would refuse it too, but only after it has begun.

    :raises Refused: the state protects what the stack file declares no more.
    """
    declared = {*(service.name for service in stack.services), *((ANALYTICS,) if stack.analytics else ())}
    protected = (each for each in recorded if each.type in (TENANT, READER) and each.outputs.get(PROTECTED))
    if gone := sorted(each.name for each in protected if each.name not in declared):
        raise Refused(
            f"stack {stack.name} protects what its stack file declares no more: {', '.join(gone)}. Nothing was changed."
            " Declare it again with `protect: false`, run `up`, and then take it out of the stack file"
        )


def counters(recorded: tuple[Recorded, ...]) -> dict[str, int]:
    """The rotation that each login's password is of."""
    passwords = ((found.name, rotation(found.outputs)) for found in recorded if found.type == PASSWORD)
    return {name.removesuffix(SUFFIX): counter for name, counter in passwords if counter}


def _schemas(here: Iterable[Recorded]) -> Iterator[Made]:
    for found in here:
        yield Made("schema", base_of(found.name).removesuffix("-schema"), found.outputs["name"])


def _roles(part: Stack, recorded: Iterable[Recorded]) -> Iterator[Made]:
    for found in recorded:
        if found.type == ROLE and found.name == placed_on_server(base_of(found.name), part):
            yield Made("role", base_of(found.name).removesuffix("-role"), found.outputs["name"])
