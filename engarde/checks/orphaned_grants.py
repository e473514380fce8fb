"""Grants in the state on tables that are gone."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.resource_names import is_in
from engarde.pulumi_cli.state import ROLE, Granted, Resource
from engarde.util.quoting import word


@check(
    Question(
        "vanished table",
        "grants in the state on tables that are gone",
        "command",
        "`bin/pulumi up`, or `bin/pulumi state delete`",
    ),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.UP,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each such grant, unless a run has already seen to it that the next one can let go of it."""
    state = observed.recorded.state
    released = {name for resource in state.resources for name in resource.released}
    for resource in state.resources:
        granted = resource.granted
        if granted is None or not granted.tables or resource.name in released:
            continue
        if not is_in(resource.name, stack):
            continue  # in another database
        for table in granted.tables:
            if (granted.schema or "", table) not in observed.tables:
                yield _finding(observed, resource, granted, table)


def _finding(observed: Observed, resource: Resource, granted: Granted, table: str) -> Finding:
    stack = observed.stack.name
    declared = granted.role in {service.role for service in observed.stack.services}
    # The program lets go of a service's grants without a statement; and with a role all that it was granted goes.
    if declared or granted.role in observed.recorded.state.made(ROLE):
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
