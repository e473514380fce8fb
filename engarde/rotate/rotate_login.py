"""One login, from the preview to the last proof; whatever moment it is killed at, the same again goes on."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from engarde.checks import journals, rotations
from engarde.declaration.databases import managing
from engarde.declaration.model import Stack
from engarde.declaration.resource_names import SUFFIX, base_name, login_name, refuse_lower
from engarde.declaration.stack_names import file_name
from engarde.errors import EngardeError, Refused, Unfinished
from engarde.pulumi_cli.process import Step, forget_creations, preview, up
from engarde.pulumi_cli.state import PASSWORD, ROLE, State, outputs, verifiers
from engarde.rotate import lockout
from engarde.rotate.delivery import Deliverer, Login
from engarde.rotate.lockout import prove
from engarde.rotate.report import Rotated, Rotation
from engarde.rotate.stack_change import draft
from engarde.server.blocking import accuses
from engarde.util.quoting import word
from engarde.util.terminal import indented, say, step

REPLACING = frozenset({"replace", "create-replacement", "delete-replaced", "delete"})

LEFT_OPEN = "Sessions that are open live on."
SHUT = (
    "Before that the login is taken away from it and all of its sessions are ended: what they have not committed is"
    " lost, and the service is down until it runs with the new URL."
)


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """What the operator wants otherwise than by default."""

    dry_run: bool = False
    shut: bool = False
    """logins are shut out first, and their sessions ended"""
    ask: Callable[[str], None] = say
    """before a login is shut out; ends the command where the operator says no"""


def refuse_unready(stack: Stack, names: Collection[str], state: State, going_on: str | None = None) -> None:
    """Has to hold before these logins get a password.

    :param going_on: the one whose counter may be lower, since it was begun here and then taken out of the file by hand.
    :raises ConfigError: a counter of the file is lower than the state's, and no rotation of ours has made it so.
    :raises Refused: one of them was never brought up.
    """
    found = [*rotations.of_state(stack, state)]
    # An older stack file is refused first: what brings a login up is refused with it, too.
    lower = [finding for finding in found if finding.check == "lower counter" and finding.subject != going_on]
    refuse_lower(stack, [finding.actual for finding in lower])
    for missing in found:
        if missing.check == "not brought up" and missing.subject in names:
            raise Refused(f"{missing.subject} was not brought up yet; run `{missing.remedy.text}` first")


def plan(stack: Stack, login: Login, state: State, begun: Mapping[str, int]) -> Rotation:
    """One more than the state's counter, unless a higher one stands in the journal or in the file already.

    :raises ConfigError: a counter of the file is lower than the state's, and no rotation of ours has made it so.
    :raises Refused: it was never brought up.
    """
    name = login_name(login)
    now, target = state.counters.get(name, 0), begun.get(name, 0)
    goes_on = target >= now
    refuse_unready(stack, [name], state, going_on=name if goes_on else None)
    target = max(target if goes_on else 0, login.rotation)
    if goes_on or target > now:
        return Rotation(login, now, target, continued=True)
    return Rotation(login, now, now + 1, continued=False)


def refuse_more(stack: Stack, plan: Rotation, steps: Sequence[Step]) -> None:
    """Only the login's password and its role may change: anything else is somebody's, and comes by itself.

    :raises Refused: the preview holds more.
    """
    if more := [found for found in steps if not _own(plan, found)]:
        raise Refused(
            f"with a new password for {plan.name} `up` would do more than that; nothing was changed:\n"
            f"{indented(more)}\nBring it up first with `bin/pulumi up --stack {stack.name}`, or take it back in"
            f" {file_name(stack.name)}; where it is another login's password, `bin/engarde rotate` that one first"
        )


def _own(plan: Rotation, step: Step) -> bool:
    if step.type == PASSWORD:
        return step.name == f"{plan.name}{SUFFIX}" and step.operation in REPLACING
    if step.type == ROLE:
        own = base_name(step.name) == f"{plan.name}-role"
        # One that has failed is in the state as if it were done, and comes again without a reason.
        return own and step.operation == "update" and step.changed in (("password",), ())
    # The stack itself: its outputs hold the password.
    return step.type == "pulumi:pulumi:Stack" and step.operation == "update"


def rotate_login(stack: Stack, plan: Rotation, state: State, deliverer: Deliverer, options: RotationOptions) -> Rotated:
    """Bumps the counter, brings it up, proves it, delivers it, and proves it again.

    :raises Unfinished: it was begun, and did not come to its end.
    :raises EngardeError: it was not begun, and nothing was changed.
    """
    start, role = time.monotonic(), plan.login.role
    with draft(stack, plan.login, plan.target) as made:
        with step(f"{plan.name}: preview"):
            steps = preview(stack.name, "--config-file", str(made.copy))
        refuse_more(stack, plan, steps)
        if options.dry_run:
            return Rotated(plan)
        deliverer.check(plan.login)
        old = outputs(stack.name).passwords.get(role)
        begun = "goes on with the rotation" if plan.continued else "gets a new password"
        notice = (
            f"{plan.name} {begun}: counter {plan.before} -> {plan.target}. New connections with the old password fail"
            f" from the end of `up` until the new URL is deployed. {SHUT if options.shut else LEFT_OPEN}"
        )
        (options.ask if options.shut else say)(notice)
        journals.begin_rotation(stack.name, plan.name, plan.target)
        if plan.bump:
            made.put_in_place()
    try:
        if options.shut:
            # Written before: from here on the state's password has to be put in force even where `up` does nothing.
            journals.shut_login(stack.name, plan.name)
            with step(f"{plan.name}: shutting it out"):
                password = lockout.temporary_password()
                for database in managing(stack, role):
                    lockout.shut_out(database, role, password)
        with step(f"{plan.name}: up"):
            _forget_what_is_nowhere(stack, plan, state)
            _bring_up(stack, plan, steps)
        new = outputs(stack.name).passwords[role]
        warning = prove(stack, role, new, old)
        with step(f"{plan.name}: delivery"):
            delivered = _deliver(plan, deliverer)
        prove(stack, role, new)
        journals.end_rotation(stack.name, plan.name)
    except EngardeError as fault:
        raise Unfinished(
            f"the rotation of {plan.name} did not come to its end; run it again: {fault}{_advice(stack, plan, fault)}"
        ) from None
    return Rotated(plan, time.monotonic() - start, delivered, (warning,) if warning else ())


def _deliver(plan: Rotation, deliverer: Deliverer) -> str | None:
    try:
        return deliverer.deliver(plan.login)
    except EngardeError as fault:
        raise Unfinished(f"the new password is in force, and its delivery failed: {fault}") from None


def _advice(stack: Stack, plan: Rotation, fault: EngardeError) -> str:
    """Where the role's own sessions are in the way of its new password."""
    if not any(accuses(line, plan.login.role) for line in str(fault).split("\n")):
        return ""
    command = f"bin/engarde rotate {word(plan.name)} --end-sessions --stack {stack.name}"
    return f"\n`{command}` takes the login away from {plan.login.role} and ends its sessions first"


def _bring_up(stack: Stack, plan: Rotation, steps: Sequence[Step]) -> None:
    up(stack.name)
    # An update that failed is in the state as if it were done: the next one only finds out that it was not.
    failed_before = any(found.type == ROLE and not found.changed for found in steps)
    if failed_before:
        up(stack.name)
    if failed_before or plan.name in journals.read_rotations(stack.name).shut:
        stored = verifiers(stack.name)
        for database in managing(stack, plan.login.role):
            lockout.put_verifier(database, plan.login, stored)


def _forget_what_is_nowhere(stack: Stack, plan: Rotation, state: State) -> None:
    """A password that a killed run was about to make is nowhere but in the state, where `up` would keep its trace."""
    creating = {pending.name for pending in state.pending if pending.operation == "creating"}
    own = {
        resource.name: resource.urn
        for resource in state.resources
        if resource.type == PASSWORD and resource.rotation and resource.name in creating
    }
    if creating and creating == own.keys():
        forget_creations(stack.name, [*own.values()])
