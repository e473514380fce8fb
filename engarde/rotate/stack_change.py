"""Changes a stack alone, and its stack file through a copy that Pulumi can preview first."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engarde.checks import registry
from engarde.checks.journals import folder
from engarde.checks.observed import Recorded
from engarde.declaration import stack_file
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Stack
from engarde.declaration.resource_names import login_name, logins_by_name, rotation_key
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, Refused
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.process import set_key
from engarde.pulumi_cli.stacks import read
from engarde.rotate.delivery import Login
from engarde.util.files import read_bytes
from engarde.util.terminal import say, step

PATIENCE = 120.0
"""How long a Pulumi run that outlived its command has to end [seconds]."""


@contextmanager
def locked(declared: Stack, *, dry_run: bool) -> Iterator[None]:
    """Runs one changing command at a time, after the last Pulumi run has ended; removes the lock of a killed one.

    :raises Refused: another command is running, or a Pulumi run does not end.
    :raises Unreachable: Pulumi does not start.
    """
    stack, recorded = declared.name, Recorded(declared.name)
    with (folder("rotation", stack) / "lock").open("w") as lock:
        try:
            # The kernel releases the lock of a killed process.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"another `rotate`, `retire` or `split` is running on stack {stack}. Nothing was changed. Wait until it"
                " ends, then run the command again"
            ) from None
        kept = recorded.backend
        if registry.stack_findings(declared, recorded, "killed run"):
            raise Refused(
                "a killed run left an empty file beside the state. Nothing was changed. Run"
                f" `bin/engarde doctor --stack {stack}`, which prints the fix"
            )
        # A preview needs no lock.
        if not dry_run:
            if stale_locks.holder(kept, stack):
                with step(f"waiting for another Pulumi run on stack {stack}"):
                    _wait(kept, stack)
            if stale_locks.remove_locks(kept, stack):
                say("removed the lock of a killed Pulumi run")
        yield


def _wait(kept: str, stack: str) -> None:
    end = time.monotonic() + PATIENCE
    while holder := stale_locks.holder(kept, stack):
        if time.monotonic() > end:
            raise Refused(
                f"stack {stack} is in use by {holder}. Nothing was changed. Wait until it ends; if it never will, run"
                f" `bin/pulumi cancel --stack {stack}`"
            )
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the stack file; secrets in it are encrypted, as in the file itself."""

    original: Path
    copy: Path
    before: bytes
    """of the original"""

    def put_in_place(self) -> None:
        """Replaces the stack file by the copy that was previewed, in one step: a kill leaves the old file or the new.

        :raises Refused: somebody has edited the stack file meanwhile.
        """
        if read_bytes(self.original) != self.before:
            raise Refused(f"{self.original.name} was edited meanwhile, so it was not changed. Run the command again")
        self.copy.replace(self.original.resolve())


@contextmanager
def copied(stack: str, folder: Path) -> Iterator[Copy]:
    """A copy of the stack file in a folder on the same file system, as long as the block lasts."""
    original = FOLDER / file_name(stack)
    made = Copy(original, folder / original.name, read_bytes(original))
    try:
        made.copy.write_bytes(made.before)
        shutil.copymode(original, made.copy)
        yield made
    finally:
        made.copy.unlink(missing_ok=True)


@contextmanager
def draft(stack: Stack, login: Login, counter: int) -> Iterator[Copy]:
    """A copy in which a login has this counter, as long as the block lasts.

    :raises ConfigError: Pulumi cannot write the login's name; the message has the lines to add by hand.
    :raises Refused: the copy would declare something else, too.
    """
    name = login_name(login)
    with copied(stack.name, folder("rotation", stack.name)) as made:
        if login.rotation < counter:
            section, keys = rotation_key(login)
            path = stack_file.key_path(section, keys)
            if path is None:
                raise ConfigError(
                    f"Pulumi cannot write the key of {name}. Nothing was changed. Add these lines to {made.copy.name}"
                    " yourself, then run the command again to resume:\n"
                    + stack_file.lines(section, {keys[0]: {keys[1]: counter}})
                )
            set_key(stack.name, made.copy, path, str(counter))
        wanted = {**logins_by_name(stack), name: login.model_copy(update={"rotation": counter})}
        if logins_by_name(read(made.copy.parent, stack.name)) != wanted:
            raise Refused(
                f"Pulumi wrote another key than the counter of {name}. {file_name(stack.name)} was not changed"
            )
        yield made
