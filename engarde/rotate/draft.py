"""The stack file with the new counter, first as a copy that the engine can preview, then in its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engarde.declaration import stack_file_edits
from engarde.declaration.loader import read
from engarde.declaration.model import Stack
from engarde.errors import ConfigError, Refused
from engarde.pulumi_cli.commands import set_key
from engarde.pulumi_cli.process import FOLDER
from engarde.pulumi_cli.resource_names import login_name, rotation_key
from engarde.rotate import journal
from engarde.rotate.plan import Plan
from engarde.util.files import read_bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A copy of the stack file; what is secret in it is encrypted, as in the file itself."""

    original: Path
    copy: Path
    before: bytes
    """of the original"""

    def put_in_place(self) -> None:
        """Makes the very file that was previewed the stack file, in one step: a kill leaves the old one or the new.

        :raises Refused: somebody has edited the stack file meanwhile.
        """
        if read_bytes(self.original) != self.before:
            raise Refused(f"{self.original.name} was edited meanwhile; nothing was changed. Run this again")
        self.copy.replace(self.original.resolve())


@contextmanager
def copied(stack: str, folder: Path) -> Iterator[Draft]:
    """A copy of the stack file in a folder of the same file system, as long as the block lasts."""
    original = FOLDER / f"Pulumi.{stack}.yaml"
    made = Draft(original, folder / original.name, read_bytes(original))
    try:
        made.copy.write_bytes(made.before)
        shutil.copymode(original, made.copy)
        yield made
    finally:
        made.copy.unlink(missing_ok=True)


@contextmanager
def draft(stack: Stack, plan: Plan) -> Iterator[Draft]:
    """A copy with the counter that the plan goes to, as long as the block lasts.

    :raises ConfigError: the engine cannot spell the login's name; the message has the line to write by hand.
    :raises Refused: the copy would declare something else, too.
    """
    with copied(stack.name, journal.folder(stack.name)) as made:
        _bump(stack, plan, made.copy)
        _refuse_other_changes(stack, plan, read(made.copy.parent, stack.name))
        yield made


def _bump(stack: Stack, plan: Plan, copy: Path) -> None:
    if plan.bump:
        section, keys = rotation_key(plan.login)
        path = stack_file_edits.key_path(section, keys)
        if path is None:
            raise ConfigError(
                f"the engine cannot write the key of {plan.name}; nothing was changed. Write this into {copy.name}"
                " yourself, and run the same command again, which goes on from there:\n"
                + stack_file_edits.lines(section, {keys[0]: {keys[1]: plan.target}})
            )
        set_key(stack.name, copy, path, str(plan.target))


def _refuse_other_changes(stack: Stack, plan: Plan, drafted: Stack) -> None:
    def rest(declared: Stack) -> list[object]:
        logins = [each.model_copy(update={"rotation": 0}) for each in declared.logins if login_name(each) == plan.name]
        return [*logins, *(each for each in declared.logins if login_name(each) != plan.name)]

    counters = {login_name(each): each.rotation for each in drafted.logins}
    if counters[plan.name] != plan.target or rest(drafted) != rest(stack):
        raise Refused(f"the engine wrote another key than the counter of {plan.name}; Pulumi.{stack.name}.yaml stays")
