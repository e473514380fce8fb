"""Nobody else at work on the stack, and nothing of a killed engine's in the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from engarde.errors import Refused
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.state import backend
from engarde.rotate import journal
from engarde.util.terminal import say, step

PATIENCE = 120.0
"""An engine may outlive the rotation that started it, and is then about to end [seconds]."""


@contextmanager
def alone(stack: str, *, dry_run: bool) -> Iterator[None]:
    """One rotation at a time, after the last engine has ended; a dead one's lock is removed, but for a dry run.

    :raises Refused: another rotation is at work, or an engine that does not end.
    :raises Unreachable: no engine.
    """
    with journal.alone(stack):
        kept = backend(stack)
        if any(stale_locks.torn(kept, stack)):
            raise Refused(f"a killed run left an empty file beside the state: `bin/engarde doctor --stack {stack}`")
        # A preview needs no lock.
        if not dry_run:
            _wait(kept, stack)
            if stale_locks.remove_locks(kept, stack):
                say("removed the lock of an engine that was killed")
        yield


def _wait(kept: str, stack: str) -> None:
    if not stale_locks.holder(kept, stack):
        return
    end = time.monotonic() + PATIENCE
    with step(f"waiting for another engine that is at work on stack {stack}"):
        while holder := stale_locks.holder(kept, stack):
            if time.monotonic() > end:
                raise Refused(
                    f"stack {stack} is in use by {holder}; let it end or, when it never will,"
                    f" run `bin/pulumi cancel --stack {stack}`"
                )
            time.sleep(0.2)
