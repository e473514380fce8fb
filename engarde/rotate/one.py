"""One login, from the preview to the last proof; whatever moment it is killed at, the same again goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engarde.declaration.databases import managing
from engarde.declaration.model import Stack
from engarde.errors import EngardeError, Unfinished
from engarde.pulumi_cli.commands import Step, forget_creations, preview, up
from engarde.pulumi_cli.resource_names import on_server
from engarde.pulumi_cli.state import PASSWORD, ROLE, State, outputs, verifiers
from engarde.rotate import journal
from engarde.rotate.delivery import Deliverer
from engarde.rotate.draft import draft
from engarde.rotate.plan import Plan, refuse_more
from engarde.rotate.proof import prove
from engarde.rotate.report import Rotated
from engarde.server.blocking import accuses
from engarde.split import doors
from engarde.util.quoting import word
from engarde.util.terminal import say, step

Ask = Callable[[str], None]
"""Ends the command where the operator says no."""

LEFT_OPEN = "Sessions that are open live on."
SHUT = (
    "Before that the login is taken away from it and all of its sessions are ended: what they have not committed is"
    " lost, and the service is down until it runs with the new URL."
)


def look(stack: Stack, plan: Plan) -> None:
    """Says what a rotation would do, and does none of it."""
    with draft(stack, plan) as made, step(f"{plan.name}: preview"):
        refuse_more(stack, plan, preview(stack.name, "--config-file", str(made.copy)))


def rotate_one(stack: Stack, plan: Plan, state: State, deliverer: Deliverer, ask: Ask, *, shut: bool) -> Rotated:
    """Bumps the counter, brings it up, proves it, delivers it, and proves it again.

    :param shut: the login is shut out first, and its sessions are ended.

    :raises Unfinished: it was begun, and did not come to its end.
    :raises EngardeError: it was not begun, and nothing was changed.
    """
    start, role = time.monotonic(), plan.login.role
    with draft(stack, plan) as made:
        with step(f"{plan.name}: preview"):
            steps = preview(stack.name, "--config-file", str(made.copy))
        refuse_more(stack, plan, steps)
        deliverer.check(plan.login)
        old = outputs(stack.name).passwords.get(role)
        if shut:
            ask(f"{notice(plan)} {SHUT}")
        else:
            say(f"{notice(plan)} {LEFT_OPEN}")
        journal.begin(stack.name, plan.name, plan.target)
        if plan.bump:
            made.put_in_place()
    try:
        if shut:
            _shut_out(stack, plan)
        with step(f"{plan.name}: up"):
            _forget_what_is_nowhere(stack, plan, state)
            _bring_up(stack, plan, steps)
        warning, delivered = _finish(stack, plan, deliverer, old)
    except EngardeError as fault:
        raise Unfinished(
            f"the rotation of {plan.name} did not come to its end; run it again: {fault}{_advice(stack, plan, fault)}"
        ) from None
    warnings = (warning,) if warning else ()
    seconds = time.monotonic() - start
    return Rotated(plan.name, role, plan.before, plan.target, plan.continued, seconds, delivered, warnings)


def _shut_out(stack: Stack, plan: Plan) -> None:
    role, password = plan.login.role, doors.temporary_password()
    # Written before: from here on the state's password has to be put in force even where `up` has nothing to do.
    journal.shut(stack.name, plan.name)
    with step(f"{plan.name}: shutting it out"):
        for database in managing(stack, role):
            doors.shut_out(database, role, password)


def _advice(stack: Stack, plan: Plan, fault: EngardeError) -> str:
    """Where the role's own sessions are in the way of its new password."""
    if not any(accuses(line, plan.login.role) for line in str(fault).split("\n")):
        return ""
    command = f"bin/engarde rotate {word(plan.name)} --end-sessions --stack {stack.name}"
    return f"\n`{command}` takes the login away from {plan.login.role} and ends its sessions first"


def _bring_up(stack: Stack, plan: Plan, steps: Sequence[Step]) -> None:
    up(stack.name)
    # An update that failed is in the state as if it were done: the next one only finds out that it was not.
    failed_before = any(each.type == ROLE and not each.changed for each in steps)
    if failed_before:
        up(stack.name)
    if failed_before or plan.name in journal.read(stack.name).shut:
        role, stored = plan.login.role, verifiers(stack.name)
        for database in managing(stack, role):
            doors.put_verifier(database, role, stored[on_server(f"{plan.name}-role", database)])


def _finish(stack: Stack, plan: Plan, deliverer: Deliverer, old: str | None) -> tuple[str | None, str | None]:
    """What comes after `up`; a warning, and a sentence on the delivery."""
    role = plan.login.role
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
        f"{plan.name} {begun}: counter {plan.before} -> {plan.target}. New connections with the old password fail from"
        " the end of `up` until the new URL is deployed."
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
