"""What earlier runs left in the state, as far as the preconditions of this run need it."""

from collections.abc import Iterable
from dataclasses import replace

import pulumi

from components.database import ADMIN
from components.engine import Recorded, taken_over
from components.grants import PUBLICS, name_of, outsiders
from components.renames import Renames
from components.retained import left, marked, recorded_reads
from engarde.checks import journals
from engarde.declaration.databases import database_of, display_name
from engarde.declaration.grants import Execute
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.names import ANALYTICS
from engarde.declaration.privileges import Privilege, baseline, outside, outside_reads, reader, tenant
from engarde.declaration.resource_names import (
    SUFFIX,
    base_name,
    database_label,
    is_in,
    is_on_server,
    on_server,
    place_of,
)
from engarde.errors import Refused
from engarde.preflight.abandoned_rows import Leaving, Left, Moved
from engarde.preflight.conflicts import Kind, Made
from engarde.preflight.revocations import Given
from engarde.preflight.server_facts import Before
from engarde.pulumi_cli.state import PASSWORD, PROVIDER, READER, ROLE, SCHEMA, TENANT, rotation
from engarde.server.credentials import Access
from engarde.util.quoting import word
from engarde.util.terminal import indented


def before(database: DatabaseStack, stack: Stack, renames: Renames) -> Before:
    """What earlier runs left in the database and, of roles, on its server."""
    recorded, roles = renames.recorded, renames.roles(database)
    reads = [row for service in stack.services for row in recorded_reads(service, database, recorded, roles).values()]
    services = {service.name for service in stack.services}
    declared = {f"{service}-schema" for service in services}
    here = _here(database, recorded)
    # A schema that is now declared for another service is not left behind: `rename_faults` refuses it.
    retired = {
        found.made: base_name(found.name).removesuffix("-schema")
        for found in here
        if base_name(found.name) not in declared and found.made not in database.schemas and not marked(found)
    }
    return Before(
        read=frozenset(row.schema or "" for row in reads if row.table),
        called=frozenset(_called(row) for row in reads if row.function),
        retired=retired,
        going=frozenset(made.name for made in _roles(database, recorded) if made.service not in services),
        made=frozenset((*(_made("schema", schema) for schema in here), *_roles(database, recorded))),
        taken_over=taken_over(),
        rekeyed=frozenset(renames.keys),
        renamed=roles,
        given=_given(database, stack, recorded),
    )


def _called(row: Privilege) -> Execute:
    name, _, types = (row.function or "").partition("(")
    return Execute(schema=row.schema or "", function=name, types=types.removesuffix(")"))


def _given(database: DatabaseStack, stack: Stack, recorded: tuple[Recorded, ...]) -> Given:
    # A grant on a single table revokes nothing else; the provider reads the other privileges, and the next run revokes
    # them.
    there = {found.name: {*(found.outputs.get("privileges") or ())} for found in recorded}
    rows = [
        (PUBLICS, baseline(database)),
        *(
            (outsiders(role), [*outside(database, role), *outside_reads(database, role)])
            for role in database.outside_roles
        ),
        *((service.name, tenant(database, service)) for service in database.services),
        (ANALYTICS, reader(database, database.analytics) if database.analytics else []),
    ]
    return Given(
        roles=frozenset(made.name for made in _roles(database, recorded)) | taken_over(),
        rotations=counters(recorded),
        due=tuple(
            row
            for owner, of in rows
            for row in of
            if (held := there.get(name_of(owner, row, database))) is None or held - {*row.rights}
        ),
        outside=frozenset(role.name for role in stack.outside_roles),
    )


def leaving(database: DatabaseStack, stack: Stack, recorded: tuple[Recorded, ...]) -> Leaving:
    """What a run would leave behind in this database, or at the address that the state has for it."""
    leaves = []
    for service in stack.services:
        now = database_of(stack, service)
        for found in left(service, now, recorded):
            if found.type == SCHEMA and database_label(found.name) == place_of(database):
                schema = Left(service.name, found.made, display_name(database), display_name(now))
                way, preview = (database.label, service.database), pulumi.runtime.is_dry_run()
                moves = journals.move_takes(stack.name, service.name, way, preview=preview)
                leaves.append(replace(schema, named=moves or schema.place in service.leaves))
    return Leaving(database, tuple(leaves), _moved(database, recorded))


def _moved(database: DatabaseStack, recorded: tuple[Recorded, ...]) -> Moved | None:
    """The database's address in the state, if it is not the declared one."""
    for found in recorded:
        if found.type == PROVIDER and found.name == on_server(ADMIN, database):
            was = found.outputs
            address = {"host": was["host"], "port": int(was["port"]), "sslmode": was.get("sslmode")}
            name = was["database"] if database.server_wide else database.server.database
            server = database.server.model_copy(update={**address, "database": name})
            if server.place != database.server.place:
                schemas = tuple(sorted(schema.made for schema in _here(database, recorded) if not marked(schema)))
                return Moved(Access(server, name, was["username"], was["password"]), schemas)
    return None


def _here(database: DatabaseStack, recorded: Iterable[Recorded]) -> list[Recorded]:
    return [found for found in recorded if found.type == SCHEMA and is_in(found.name, database)]


PROTECTED = "protected"
"""The output of a service or the reader that records that the last run protected its role and schema."""


def refuse_to_drop_protected(stack: Stack, recorded: Iterable[Recorded]) -> None:
    """Pulumi would refuse it, too, but only after it has begun.

    :raises Refused: the state protects something that the stack file no longer declares.
    """
    declared = {*(service.name for service in stack.services), *((ANALYTICS,) if stack.analytics else ())}
    protected = {found.name for found in recorded if found.type in (TENANT, READER) and found.outputs.get(PROTECTED)}
    if gone := sorted(protected - declared):
        retire = [f"bin/engarde retire {word(name)} --stack {stack.name}" for name in gone if name != ANALYTICS]
        raise Refused(
            f"stack {stack.name} protects what its stack file no longer declares: {', '.join(gone)}. Nothing was"
            " changed. Declare it again with `protect: false`, run `up`, then remove it from the stack file"
            + (f". For a service, one command does all of that:\n{indented(retire)}" if retire else "")
        )


def counters(recorded: tuple[Recorded, ...]) -> dict[str, int]:
    """The rotation of each login's password."""
    passwords = ((found.name, rotation(found.outputs)) for found in recorded if found.type == PASSWORD)
    return {name.removesuffix(SUFFIX): counter for name, counter in passwords if counter}


def _roles(database: DatabaseStack, recorded: Iterable[Recorded]) -> list[Made]:
    return [_made("role", found) for found in recorded if found.type == ROLE and is_on_server(found.name, database)]


def _made(kind: Kind, found: Recorded) -> Made:
    return Made(kind, base_name(found.name).removesuffix(f"-{kind}"), found.made)
