"""What the state tells of an earlier run, as far as the server has to be asked about it."""

from __future__ import annotations

from collections.abc import Iterator

from components.engine import Recorded, taken_over
from components.reads import recorded_reads
from engarde.model import Stack
from engarde.moves import Made
from engarde.rotations import SUFFIX
from engarde.stack import PASSWORD, ROLE, SCHEMA, rotation
from engarde.survey import Before


def before(stack: Stack, recorded: tuple[Recorded, ...]) -> Before:
    """The schemas in which services read, those of services that are declared no more, and all that was made."""
    reads = (row for service in stack.services for row in recorded_reads(service, recorded).values())
    declared = {f"{service.name}-schema" for service in stack.services}
    retired = (found for found in recorded if found.type == SCHEMA and found.name not in declared)
    return Before(
        read=frozenset(row.schema or "" for row in reads),
        retired=frozenset(found.outputs["name"] for found in retired),
        made=frozenset(_made(recorded)),
        taken_over=taken_over(),
    )


def counters(recorded: tuple[Recorded, ...]) -> dict[str, int]:
    """The rotation that each login's password is of."""
    passwords = ((found.name, rotation(found.outputs)) for found in recorded if found.type == PASSWORD)
    return {name.removesuffix(SUFFIX): counter for name, counter in passwords if counter}


def _made(recorded: tuple[Recorded, ...]) -> Iterator[Made]:
    for found in recorded:
        if found.type == ROLE:
            yield Made("role", found.name.removesuffix("-role"), found.outputs["name"])
        elif found.type == SCHEMA:
            yield Made("schema", found.name.removesuffix("-schema"), found.outputs["name"])
