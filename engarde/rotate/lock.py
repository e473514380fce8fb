"""Nobody else at work on the stack, and nothing of a killed engine's in the way."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engarde.checks.journals import folder
from engarde.errors import Refused
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.state import backend
from engarde.util.terminal import say, step

PATIENCE = 120.0
"""An engine may outlive the rotation that started it, and is then about to end [seconds]."""


@contextmanager
def locked(stack: str, *, dry_run: bool) -> Iterator[None]:
    """One rotation at a time, after the last engine has ended; a dead one's lock is removed, but for a dry run.

    :raises Refused: another rotation is at work, or an engine that does not end.
    :raises Unreachable: no engine.
    """
    with (folder(f"rotation.{stack}") / "lock").open("w") as lock:
        try:
            # The kernel lets go of a killed one's.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another `rotate` is at work on stack {stack}; let it come to its end") from None
        kept = backend(stack)
        if any(stale_locks.torn(kept, stack)):
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
