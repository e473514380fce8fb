"""Objects that are another's in a service's schema, and a service's that lie outside of it."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.catalog.rows import Owned
from engarde.checks.placement import place
from engarde.findings import Finding
from engarde.health.seen import Seen
from engarde.names import VERSION_TABLE
from engarde.verify.owners import misplaced


def check(seen: Seen) -> Iterator[Finding]:
    """Each object whose owner and schema do not belong together; what is Alembic's is told by its own check."""
    at_home = {service.schema_ for service in seen.stack.services}
    services = {service.role for service in seen.stack.services}
    for each in misplaced(seen.stack, seen.catalog):
        if each.name == VERSION_TABLE and each.owner in services:
            continue
        if each.schema in at_home or (each.schema and each.owner in services):
            yield _finding(seen, each)


def _finding(seen: Seen, owned: Owned) -> Finding:
    there = place(seen.stack, seen.catalog, owned)
    return Finding(
        "place" if there.schema else "owner",
        f"{owned.kind} {owned.identity}",
        f"in schema {there.schema}, for it is {there.owner}'s" if there.schema else there.owner,
        f"in schema {owned.schema}" if there.schema else owned.owner,
        there.remedy,
        frozenset({owned.owner, owned.schema, there.owner, there.schema} - {""}),
    )
