"""One run at a time: make targets among themselves, and what a killed engine left locked."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engarde.errors import Refused
from engarde.util.processes import command_of, hold
from engarde.util.terminal import tell
from launcher.paths import PRIVATE, STATE

LOCK = PRIVATE / "lock"
ENGINE_LOCKS = STATE / ".pulumi/locks/organization/engarde/local"
PATIENCE = 60.0
"""How long another engine may go on with the stack before this run gives up (seconds)."""


@contextmanager
def alone() -> Iterator[None]:
    """Waits until no other make target works in this project; the kernel lets go of a killed one's lock."""
    with LOCK.open("w") as lock:
        hold(lock, "Waiting for another make target of this project")
        yield


def clear_stale_engine_locks() -> None:
    """Removes the locks of engines that are dead, and waits for one that is not.

    :raises Refused: when an engine still works on the stack, or may do so on another machine.
    """
    for lock in ENGINE_LOCKS.glob("*.json"):
        end = time.monotonic() + PATIENCE
        while holder := _holder(lock):
            if time.monotonic() > end:
                raise Refused(
                    f"stack local is in use by {holder}; wait for it to end or, when it never will,"
                    " run `bin/pulumi cancel --stack local`"
                )
            time.sleep(0.2)
        if lock.exists():
            lock.unlink(missing_ok=True)
            tell("Removed the lock of an engine that was killed")


def _holder(lock: Path) -> str | None:
    """Who holds the lock; None when that process has ended."""
    try:
        content = json.loads(lock.read_text())
    except (FileNotFoundError, ValueError):  # gone by now, or half-written
        return None
    if content["hostname"] != socket.gethostname():
        return f"process {content['pid']} on {content['hostname']}"
    # The process id alone may have been given to another program by now.
    return f"process {content['pid']}" if "pulumi" in command_of(content["pid"]) else None
