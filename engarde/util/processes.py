"""Processes of this machine: is the one that a pid file or a lock names still there, who ends this one, who waits?"""

import fcntl
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from engarde.util.terminal import step


def hold(lock: IO[str], waiting: str) -> None:
    """Locks an open file, and says so while it waits for another holder; the kernel lets go of a dead one's."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with step(waiting):
            fcntl.flock(lock, fcntl.LOCK_EX)


@contextmanager
def interrupts() -> Iterator[None]:
    """Makes an interrupt an exception in the block; outside of it, it ends at once what `bin/` has started."""
    at_once = signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    if at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if at_once:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none, also for a dead one that nobody has reaped."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()
