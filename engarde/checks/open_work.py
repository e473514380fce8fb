"""Moves and rotations that were begun on this machine, and have not come to their end."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.checks.under_way import under_way
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding
from engarde.pulumi_cli.resource_names import login_name


@check(
    Question("open move", "a `split` that has not come to its end", "command", "the command that goes on"),
    Question("open rotation", "a `rotate` that has not", "command", "the command that goes on"),
    group="runs",
    needs=(),
    scope="stack",
    stage=Stage.FIRST,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each, with what goes on."""
    roles = {login_name(login): login.role for login in stack.stack.logins}
    yield from (begun.finding() for begun in under_way(stack.name, roles))
