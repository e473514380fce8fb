"""Whoever changes a stack does it alone, and its stack file by a copy that the engine can preview before."""

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
"""An engine may outlive the rotation that started it, and is then about to end [seconds]."""


@contextmanager
def locked(declared: Stack, *, dry_run: bool) -> Iterator[None]:
    """One rotation at a time, after the last engine has ended; a dead one's lock is removed, but for a dry run.

    :raises Refused: another rotation is at work, or an engine that does not end.
    :raises Unreachable: no engine.
    """
    stack, recorded = declared.name, Recorded(declared.name)
    with (folder("rotation", stack) / "lock").open("w") as lock:
        try:
            # The kernel lets go of a killed one's.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another `rotate` is at work on stack {stack}; let it come to its end") from None
        kept = recorded.backend
        if registry.stack_findings(declared, recorded, "killed run"):
            raise Refused(f"a killed run left an empty file beside the state: `bin/engarde doctor --stack {stack}`")
        # A preview needs no lock.
        if not dry_run:
            if stale_locks.holder(kept, stack):
                with step(f"waiting for another engine that is at work on stack {stack}"):
                    _wait(kept, stack)
            if stale_locks.remove_locks(kept, stack):
                say("removed the lock of an engine that was killed")
        yield


def _wait(kept: str, stack: str) -> None:
    end = time.monotonic() + PATIENCE
    while holder := stale_locks.holder(kept, stack):
        if time.monotonic() > end:
            raise Refused(
                f"stack {stack} is in use by {holder}; let it end or, when it never will,"
                f" run `bin/pulumi cancel --stack {stack}`"
            )
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Copy:
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
def copied(stack: str, folder: Path) -> Iterator[Copy]:
    """A copy of the stack file in a folder of the same file system, as long as the block lasts."""
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

    :raises ConfigError: the engine cannot spell the login's name; the message has the line to write by hand.
    :raises Refused: the copy would declare something else, too.
    """
    name = login_name(login)
    with copied(stack.name, folder("rotation", stack.name)) as made:
        if login.rotation < counter:
            section, keys = rotation_key(login)
            path = stack_file.key_path(section, keys)
            if path is None:
                raise ConfigError(
                    f"the engine cannot write the key of {name}; nothing was changed. Write this into {made.copy.name}"
                    " yourself, and run the same command again, which goes on from there:\n"
                    + stack_file.lines(section, {keys[0]: {keys[1]: counter}})
                )
            set_key(stack.name, made.copy, path, str(counter))
        wanted = {**logins_by_name(stack), name: login.model_copy(update={"rotation": counter})}
        if logins_by_name(read(made.copy.parent, stack.name)) != wanted:
            raise Refused(f"the engine wrote another key than the counter of {name}; {file_name(stack.name)} stays")
        yield made
