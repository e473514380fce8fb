"""What a rotation of one login comes to: which counter it goes to, and whether it was begun before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engarde.declaration.model import Stack
from engarde.errors import Refused
from engarde.pulumi_cli.commands import Step
from engarde.pulumi_cli.resource_names import SUFFIX, base_name, login_name, refuse_lower
from engarde.pulumi_cli.state import PASSWORD, ROLE, State
from engarde.rotate.delivery import Login

REPLACING = frozenset({"replace", "create-replacement", "delete-replaced", "delete"})


@dataclass(frozen=True, slots=True)
class Plan:
    """One login's way from one password to the next."""

    login: Login
    name: str
    before: int
    """the state's counter"""
    target: int
    continued: bool
    """begun by an earlier run, or by hand"""

    @property
    def bump(self) -> bool:
        """Whether the stack file has still to be changed."""
        return self.login.rotation < self.target


def counters(state: State) -> dict[str, int]:
    """The state's counters by login."""
    passwords = (each for each in state.resources if each.type == PASSWORD)
    return {each.name.removesuffix(SUFFIX): each.rotation for each in passwords if each.rotation}


def plan(stack: Stack, login: Login, state: State, begun: Mapping[str, int]) -> Plan:
    """One more than the state's counter, unless a higher one stands in the journal or in the file already.

    :raises ConfigError: a counter of the file is lower than the state's, and no rotation of ours has made it so.
    :raises Refused: it was never brought up.
    """
    name, recorded = login_name(login), counters(state)
    now = recorded.get(name)
    if now is None or login.role not in state.made(ROLE):
        raise Refused(f"{name} was not brought up yet; run `bin/pulumi up --stack {stack.name}` first")
    target = begun.get(name, 0)
    goes_on = target >= now
    # What was begun here and then taken out of the file by hand goes on to where it was to go.
    refuse_lower(stack, {each: counter for each, counter in recorded.items() if each != name or not goes_on})
    target = max(target if goes_on else 0, login.rotation)
    if goes_on or target > now:
        return Plan(login, name, now, target, continued=True)
    return Plan(login, name, now, now + 1, continued=False)


def unfinished_first(stack: Stack, names: Sequence[str], state: State, begun: Mapping[str, int]) -> list[str]:
    """What was begun comes before what was not: the preview of the others holds it, too, and is refused."""
    recorded = counters(state)
    ahead = {login_name(each) for each in stack.logins if each.rotation > recorded.get(login_name(each), each.rotation)}
    return sorted(names, key=lambda name: name not in ahead | begun.keys())


def refuse_more(stack: Stack, plan: Plan, steps: Sequence[Step]) -> None:
    """Only the login's password and its role may change: anything else is somebody's, and comes by itself.

    :raises Refused: the preview holds more.
    """
    more = [each for each in steps if not _own(plan, each)]
    if more:
        listed = "\n".join(f"  {each}" for each in more)
        raise Refused(
            f"with a new password for {plan.name} `up` would do more than that; nothing was changed:\n{listed}\n"
            f"Bring it up first with `bin/pulumi up --stack {stack.name}`, or take it back in Pulumi.{stack.name}.yaml;"
            " where it is another login's password, `bin/engarde rotate` that one first"
        )


def _own(plan: Plan, step: Step) -> bool:
    if step.type == PASSWORD:
        return step.name == f"{plan.name}{SUFFIX}" and step.operation in REPLACING
    if step.type == ROLE:
        own = base_name(step.name) == f"{plan.name}-role"
        # One that has failed is in the state as if it were done, and comes again without a reason.
        return own and step.operation == "update" and step.changed in (("password",), ())
    # The stack itself: its outputs hold the password.
    return step.type == "pulumi:pulumi:Stack" and step.operation == "update"
