"""One login, from the preview to the last proof; whatever moment it is killed at, the same again goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from engarde.errors import EngardeError, Unfinished
from engarde.model import Stack
from engarde.rotate import journal
from engarde.rotate.delivery import Deliverer
from engarde.rotate.draft import draft
from engarde.rotate.plan import Plan, refuse_more
from engarde.rotate.proof import prove
from engarde.rotate.report import Rotated
from engarde.runs import forget_creations, preview, up
from engarde.stack import PASSWORD, State, outputs
from engarde.terminal import say
from toolchain.progress import step

Framed = Callable[[str], AbstractContextManager[object]]


def look(stack: Stack, plan: Plan) -> None:
    """Says what a rotation would do, and does none of it."""
    with draft(stack, plan) as made, step(f"{plan.name}: preview"):
        refuse_more(stack, plan, preview(stack.name, "--config-file", str(made.copy)))


def rotate_one(stack: Stack, plan: Plan, state: State, deliverer: Deliverer) -> Rotated:
    """Bumps the counter, brings it up, proves it, delivers it, and proves it again.

    :raises Unfinished: it was begun, and did not come to its end.
    :raises EngardeError: it was not begun, and nothing was changed.
    """
    start, role = time.monotonic(), plan.login.role
    with draft(stack, plan) as made:
        with step(f"{plan.name}: preview"):
            refuse_more(stack, plan, preview(stack.name, "--config-file", str(made.copy)))
        deliverer.check(plan.login)
        old = outputs(stack.name).passwords.get(role)
        say(notice(plan))
        journal.begin(stack.name, plan.name, plan.target)
        if plan.bump:
            made.put_in_place()
    try:
        warning, delivered = _finish(stack, plan, state, deliverer, old)
    except EngardeError as fault:
        raise Unfinished(f"the rotation of {plan.name} did not come to its end; run it again: {fault}") from None
    warnings = (warning,) if warning else ()
    seconds = time.monotonic() - start
    return Rotated(plan.name, role, plan.before, plan.target, plan.continued, seconds, delivered, warnings)


def _finish(
    stack: Stack, plan: Plan, state: State, deliverer: Deliverer, old: str | None
) -> tuple[str | None, str | None]:
    """What comes after the stack file was changed; a warning, and a sentence on the delivery."""
    role = plan.login.role
    with step(f"{plan.name}: up"):
        _forget_what_is_nowhere(stack, plan, state)
        up(stack.name)
    new = outputs(stack.name).passwords[role]
    warning = prove(stack, role, new, old)
    with step(f"{plan.name}: delivery"):
        delivered = _deliver(plan, deliverer)
    prove(stack, role, new)
    journal.end(stack.name, plan.name)
    return warning, delivered


def notice(plan: Plan) -> str:
    """What users are told beforehand."""
    begun = "goes on with the rotation" if plan.continued else "gets a new password"
    return (
        f"{plan.name} {begun}: counter {plan.before} -> {plan.target}. Sessions that are open live on. New connections"
        " with the old password fail from the end of `up` until the new URL is deployed."
    )


def _deliver(plan: Plan, deliverer: Deliverer) -> str | None:
    try:
        return deliverer.deliver(plan.login)
    except EngardeError as fault:
        raise Unfinished(f"the new password is in force, and its delivery failed: {fault}") from None


def _forget_what_is_nowhere(stack: Stack, plan: Plan, state: State) -> None:
    """A password that a killed run was about to make is nowhere but in the state, where `up` would keep its trace."""
    creating = {each.name for each in state.pending if each.operation == "creating"}
    own = [each for each in state.resources if each.type == PASSWORD and each.rotation and each.name in creating]
    if creating and creating == {each.name for each in own}:
        forget_creations(stack.name, [each.urn for each in own])
