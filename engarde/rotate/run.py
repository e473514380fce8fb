"""The logins that were asked for, one after another, up to the first that fails."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engarde.declaration.loader import read
from engarde.declaration.model import Stack
from engarde.errors import ConfigError, EngardeError
from engarde.pulumi_cli.process import FOLDER
from engarde.pulumi_cli.resource_names import login_name
from engarde.pulumi_cli.state import State, state
from engarde.rotate import journal
from engarde.rotate.alone import alone
from engarde.rotate.delivery import Deliverer
from engarde.rotate.one import Ask, look, rotate_one
from engarde.rotate.plan import plan, unfinished_first
from engarde.rotate.report import Failed, Report, Rotated
from engarde.util.terminal import say


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the logins have come."""

    rotated: tuple[Rotated, ...] = ()
    failed: Failed | None = None
    left: tuple[str, ...] = ()


def chosen(stack: Stack, names: Sequence[str]) -> list[str]:
    """The logins of these names, all of the stack's without any.

    :raises ConfigError: some are not in the stack file, or named twice, or there are none.
    """
    known = [login_name(each) for each in stack.logins]
    if unknown := sorted({name for name in names if name not in known}):
        raise ConfigError(f"not in stack {stack.name}: {', '.join(unknown)}; it has {', '.join(known)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"named twice: {', '.join(twice)}")
    if not known:
        raise ConfigError(f"stack {stack.name} declares neither services nor analytics")
    return list(names or known)


@dataclass(frozen=True, slots=True)
class How:
    """What the operator wants otherwise than by default."""

    dry_run: bool = False
    shut: bool = False
    """logins are shut out first, and their sessions ended"""
    ask: Ask = say
    """before a login is shut out"""


def rotate(stack: str, names: Sequence[str], deliverer: Deliverer, how: How) -> Report:
    """Gives these logins new passwords, or all of the stack's without a name.

    :raises EngardeError: nothing was begun.
    """
    declared = read(FOLDER, stack)
    wanted = chosen(declared, names)

    with alone(stack, dry_run=how.dry_run):
        begun, recorded = journal.read(stack), state(stack)
        left = unfinished_first(declared, begun.remaining(wanted), recorded, begun.begun)

        def one(name: str) -> Rotated:
            as_before = how.dry_run or name == left[0]
            return _one(stack, name, recorded if as_before else state(stack), deliverer, how)

        if len(left) < len(wanted):
            say(f"an earlier run was stopped; this one goes on with what it left: {', '.join(left)}")
        if not how.dry_run:
            journal.ask(stack, wanted, left)
        done = one_by_one(left, one)
    places = declared.railway is not None
    return Report(
        stack, how.dry_run, False, places, done.rotated, done.failed, done.left, _kept_in_git(stack), how.shut
    )


def _kept_in_git(stack: str) -> bool:
    """Whether there is a stack file to commit: that of stack `local` is each clone's own."""
    command = ["git", "check-ignore", "--quiet", f"Pulumi.{stack}.yaml"]
    try:
        return subprocess.run(command, cwd=FOLDER, capture_output=True, check=False).returncode != 0
    except OSError:
        return True


def one_by_one(names: Sequence[str], one: Callable[[str], Rotated]) -> Progress:
    """Stops at the first failure, and says what is left."""
    done: list[Rotated] = []
    for place, name in enumerate(names):
        try:
            done.append(one(name))
        except EngardeError as fault:
            return Progress(tuple(done), Failed(name, str(fault), fault.exit_code), tuple(names[place + 1 :]))
    return Progress(tuple(done))


def _one(stack: str, name: str, recorded: State, deliverer: Deliverer, how: How) -> Rotated:
    # Read anew: the one before has changed it.
    declared = read(FOLDER, stack)
    (login,) = (each for each in declared.logins if login_name(each) == name)
    planned = plan(declared, login, recorded, journal.read(stack).begun)
    if not how.dry_run:
        return rotate_one(declared, planned, recorded, deliverer, how.ask, shut=how.shut)
    look(declared, planned)
    return Rotated(name, login.role, planned.before, planned.target, planned.continued)
