"""Rotates one login, from the preview to the last proof; if it is killed at any point, the same call resumes."""

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

LEFT_OPEN = "Open sessions stay open."
SHUT = (
    "Before that, it is locked out and all of its sessions are ended: their uncommitted work is lost, and the service"
    " is down until it runs with the new URL."
)


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """The operator's options."""

    dry_run: bool = False
    shut: bool = False
    """logins are locked out first, and their sessions ended"""
    ask: Callable[[str], None] = say
    """called before a login is locked out; raises if the operator says no"""


def refuse_unready(stack: Stack, names: Collection[str], state: State, going_on: str | None = None) -> None:
    """Refuses logins that cannot get a password now.

    :param going_on: the login whose counter may be lower: its rotation is open, and its counter was removed by hand.
    :raises ConfigError: another counter in the file is lower than the state's.
    :raises Refused: `up` has not created one of them yet.
    """
    found = [*rotations.of_state(stack, state)]
    # An older stack file is refused first: `up`, which creates a login, would refuse it, too.
    lower = [finding for finding in found if finding.check == "lower counter" and finding.subject != going_on]
    refuse_lower(stack, [finding.actual for finding in lower])
    for missing in found:
        if missing.check == "not brought up" and missing.subject in names:
            raise Refused(
                f"{missing.subject} was not created yet. Nothing was changed. Run `{missing.remedy.text}` first"
            )


def plan(stack: Stack, login: Login, state: State, begun: Mapping[str, int]) -> Rotation:
    """Plans for one more than the state's counter, unless the journal or the file already has a higher one.

    :raises ConfigError: a counter in the file is lower than the state's, and no open rotation explains it.
    :raises Refused: `up` has not created the login yet.
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
    """Lets only the login's password and its role change: other changes need an `up` of their own.

    :raises Refused: the preview has other changes.
    """
    if more := [found for found in steps if not _own(plan, found)]:
        raise Refused(
            f"`up` would change more than the password of {plan.name}. Nothing was changed. It would also do this:\n"
            f"{indented(more)}\nRun `bin/pulumi up --stack {stack.name}` first, or undo these changes in"
            f" {file_name(stack.name)}. If one is another login's password, rotate that login first"
        )


def _own(plan: Rotation, step: Step) -> bool:
    if step.type == PASSWORD:
        return step.name == f"{plan.name}{SUFFIX}" and step.operation in REPLACING
    if step.type == ROLE:
        own = base_name(step.name) == f"{plan.name}-role"
        # After an update that failed, the state has the new inputs, so the next one shows no changed property.
        return own and step.operation == "update" and step.changed in (("password",), ())
    # The stack itself: its outputs have the password.
    return step.type == "pulumi:pulumi:Stack" and step.operation == "update"


def rotate_login(stack: Stack, plan: Rotation, state: State, deliverer: Deliverer, options: RotationOptions) -> Rotated:
    """Raises the counter, runs `up`, proves the new password, delivers the URL, and proves it again.

    :raises Unfinished: it was started, but did not finish.
    :raises EngardeError: it was not started, and nothing was changed.
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
        begun = "resumes its rotation" if plan.continued else "gets a new password"
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
            # Recorded first: from here on the state's password has to be set even if `up` has nothing to do.
            journals.shut_login(stack.name, plan.name)
            with step(f"{plan.name}: locking it out"):
                password = lockout.temporary_password()
                for database in managing(stack, role):
                    lockout.shut_out(database, role, password)
        with step(f"{plan.name}: up"):
            _forget_uncreated(stack, plan, state)
            _bring_up(stack, plan, steps)
        new = outputs(stack.name).passwords[role]
        warning = prove(stack, role, new, old)
        with step(f"{plan.name}: delivery"):
            delivered = _deliver(plan, deliverer)
        prove(stack, role, new)
        journals.end_rotation(stack.name, plan.name)
    except EngardeError as fault:
        raise Unfinished(
            f"the rotation of {plan.name} did not finish: {fault}\n{_advice(stack, plan, fault)}"
        ) from None
    return Rotated(plan, time.monotonic() - start, delivered, (warning,) if warning else ())


def _deliver(plan: Rotation, deliverer: Deliverer) -> str | None:
    try:
        return deliverer.deliver(plan.login)
    except EngardeError as fault:
        raise Unfinished(f"the new password is set, but its delivery failed: {fault}") from None


def _advice(stack: Stack, plan: Rotation, fault: EngardeError) -> str:
    """How to resume: the role's own sessions may block its new password."""
    if not any(accuses(line, plan.login.role) for line in str(fault).split("\n")):
        return "Run the command again to resume"
    command = f"bin/engarde rotate {word(plan.name)} --end-sessions --stack {stack.name}"
    return f"Run `{command}` to resume: it first locks {plan.login.role} out and ends its sessions"


def _bring_up(stack: Stack, plan: Rotation, steps: Sequence[Step]) -> None:
    up(stack.name)
    # After an update that failed, the state has the new inputs: the next `up` only corrects the state.
    failed_before = any(found.type == ROLE and not found.changed for found in steps)
    if failed_before:
        up(stack.name)
    if failed_before or plan.name in journals.read_rotations(stack.name).shut:
        stored = verifiers(stack.name)
        for database in managing(stack, plan.login.role):
            lockout.put_verifier(database, plan.login, stored)


def _forget_uncreated(stack: Stack, plan: Rotation, state: State) -> None:
    """Removes a password from the state that a killed run was about to create: it exists nowhere else."""
    creating = {pending.name for pending in state.pending if pending.operation == "creating"}
    own = {
        resource.name: resource.urn
        for resource in state.resources
        if resource.type == PASSWORD and resource.rotation and resource.name in creating
    }
    if creating and creating == own.keys():
        forget_creations(stack.name, [*own.values()])
