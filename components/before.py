"""What the state tells of an earlier run, as far as the server has to be asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.engine import Recorded, taken_over
from components.former import marked
from components.reads import recorded_reads
from engarde.errors import Refused
from engarde.model import Stack
from engarde.moves import Made
from engarde.names import ANALYTICS
from engarde.places import base_of, placed, placed_on_server
from engarde.rotations import SUFFIX
from engarde.stack import PASSWORD, READER, ROLE, SCHEMA, TENANT, rotation
from engarde.survey import Before


def before(part: Stack, stack: Stack, recorded: tuple[Recorded, ...]) -> Before:
    """The schemas in which services read, those of services that are declared no more, and all that was made.

    All of it in the part's database; of roles, on its server.
    """
    reads = (row for service in stack.services for row in recorded_reads(service, part, recorded).values())
    services = {service.name for service in stack.services}
    declared = {f"{service}-schema" for service in services}
    here = [each for each in recorded if each.type == SCHEMA and each.name == placed(base_of(each.name), part)]
    retired = (each for each in here if base_of(each.name) not in declared and not marked(each))
    return Before(
        read=frozenset(row.schema or "" for row in reads),
        retired=frozenset(found.outputs["name"] for found in retired),
        going=frozenset(made.name for made in _roles(part, recorded) if made.service not in services),
        made=frozenset((*_schemas(here), *_roles(part, recorded))),
        taken_over=taken_over(),
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
