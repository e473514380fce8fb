"""What the state tells of an earlier run, as far as the server has to be asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.engine import Recorded, taken_over
from components.former import marked
from components.reads import called as function
from components.reads import plan, recorded_reads
from components.renames import Renames
from components.resource_names import former_names, name_of
from engarde.errors import Refused
from engarde.model import Analytics, Service, Stack
from engarde.moves import Made
from engarde.names import ANALYTICS
from engarde.places import base_of, placed, placed_on_server
from engarde.privileges import reader, tenant
from engarde.rotations import SUFFIX, called
from engarde.stack import PASSWORD, READER, ROLE, SCHEMA, TENANT, rotation
from engarde.survey import Before, Found
from engarde.visible import visible


def before(part: Stack, stack: Stack, renames: Renames) -> Before:
    """The schemas in which services read, those of services that are declared no more, and all that was made.

    All of it in the part's database; of roles, on its server.
    """
    recorded, roles = renames.recorded, renames.roles(part)
    reads = [row for service in stack.services for row in recorded_reads(service, part, recorded, roles).values()]
    services = {service.name for service in stack.services}
    declared = {f"{service}-schema" for service in services}
    here = [each for each in recorded if each.type == SCHEMA and each.name == placed(base_of(each.name), part)]
    # A schema that is declared for another service by now is not left behind, and is refused as that.
    retired = (
        each
        for each in here
        if base_of(each.name) not in declared and each.outputs["name"] not in stack.schemas and not marked(each)
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
    )


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


def refuse_to_rename_and_revoke(stack: Stack, parts: Iterable[Stack], found: Iterable[Found], renames: Renames) -> None:
    """What a renamed role is to lose in the same run would be taken from its old name, and so not from it.

    :raises Refused: the stack file declares both.
    """
    for part, seen in zip(parts, found, strict=True):
        renamed = renames.roles(part)
        declared = {name for login in part.logins for name in _granted(login, part, seen, renames)}
        for role, was in renamed.items():
            if lost := sorted(renames.naming(was, part) - declared):
                raise Refused(
                    f"role {was} cannot become {role} and lose something in the same run; nothing was changed. Run `up`"
                    f" with its old name first, until it has nothing to change. It loses: {visible(', '.join(lost))}"
                )


def _granted(login: Service | Analytics, part: Stack, seen: Found, renames: Renames) -> Iterator[str]:
    """What the resources of the login's grants are and were called."""
    recorded, roles = renames.recorded, renames.roles(part)
    rows = tenant(part, login) if isinstance(login, Service) else reader(part, login)
    if isinstance(login, Service):
        things = [row for row in rows if row.table or row.function]
        reads = plan(login, part, things, seen, recorded, roles).reads
        rows = [*(row for row in rows if row not in things), *(read.row for read in reads if not read.vanished)]
    for row in rows:
        yield name_of(called(login), row, part)
        yield from former_names(called(login), row, part, recorded, roles)


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
