"""Preconditions of a rotation: before a login gets a new password, or its own password again."""

from collections.abc import Iterator

from engarde.checks.naming import about
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration import stack_file
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.resource_names import logins_by_name, lower_counters, rotation_key
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import ROLE, State


@check(
    Question("not brought up", "a login whose role or password is not in the state", "command", "`bin/pulumi up`"),
    Question(
        "lower counter",
        "a `rotation` in the stack file that is lower than the state's, because the login was rotated from another"
        " stack file",
        "edit",
        "the number from the branch that has it, or the state's",
    ),
    group="rotations",
    needs=("state",),
    scope="stack",
    stage=Stage.STATE,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Every login that cannot be rotated, by the tool's name for it."""
    yield from of_state(stack.stack, observed.recorded.state)


def of_state(stack: Stack, state: State) -> Iterator[Finding]:
    """The same, from a state that was read before."""
    counters = state.counters
    lower = lower_counters(stack, counters)
    for name, login in logins_by_name(stack).items():
        if name not in counters or login.role not in state.made(ROLE):
            up = Remedy("command", f"bin/pulumi up --stack {stack.name}")
            expected = "in the state, with role and password"
            yield Finding("not brought up", name, expected, "not in the state", up, about(login))
        if name in lower:
            section, keys = rotation_key(login)
            there = {keys[0]: {keys[1]: counters[name]}} if len(keys) > 1 else {keys[0]: counters[name]}
            edit = Remedy("edit", stack_file.lines(section, there))
            yield Finding("lower counter", name, f"{counters[name]}, as in the state", lower[name], edit, about(login))
