"""Grants in the state on tables that are gone."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.checks.observed import Seen
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.resource_names import is_in
from engarde.pulumi_cli.state import ROLE, Granted, Resource
from engarde.util.quoting import word


def check(seen: Seen) -> Iterator[Finding]:
    """Each such grant, unless a run has already seen to it that the next one can let go of it."""
    released = {name for each in seen.state.resources for name in each.released}
    for resource in seen.state.resources:
        granted = resource.granted
        if granted is None or not granted.tables or resource.name in released:
            continue
        if not is_in(resource.name, seen.stack):
            continue  # in another database
        for table in granted.tables:
            if (granted.schema or "", table) not in seen.tables:
                yield _finding(seen, resource, granted, table)


def _finding(seen: Seen, resource: Resource, granted: Granted, table: str) -> Finding:
    stack = seen.stack.name
    declared = granted.role in {service.role for service in seen.stack.services}
    # The program lets go of a service's grants without a statement; and with a role all that it was granted goes.
    if declared or granted.role in seen.state.made(ROLE):
        command = f"bin/pulumi up --stack {stack}"
    else:
        command = f"bin/pulumi state delete {word(resource.urn)} --stack {stack}"
    return Finding(
        "vanished table",
        f"{granted.schema}.{table}",
        f"there, for the state lets {granted.role} read it",
        "no such table",
        Remedy("command", command),
        frozenset({granted.role, granted.schema or ""}),
    )
