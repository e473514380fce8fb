"""What the state tells of an earlier run, as far as the server has to be asked about it."""

from __future__ import annotations

from components.engine import Recorded
from components.reads import recorded_reads
from engarde.model import Stack
from engarde.survey import Before

SCHEMA = "postgresql:index/schema:Schema"


def before(stack: Stack, recorded: tuple[Recorded, ...]) -> Before:
    """The schemas in which services read, and those of services that are declared no more."""
    reads = (row for service in stack.services for row in recorded_reads(service, recorded).values())
    declared = {f"{service.name}-schema" for service in stack.services}
    retired = (found for found in recorded if found.type == SCHEMA and found.name not in declared)
    return Before(
        read=frozenset(row.schema or "" for row in reads),
        retired=frozenset(found.outputs["name"] for found in retired),
    )
