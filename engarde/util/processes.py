"""Processes of this machine: locks, interrupts, unexpected errors, and whether another process still runs."""

import fcntl
import os
import signal
import subprocess
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from engarde.errors import INTERNAL, EngardeError, Unfinished
from engarde.util.masking import masked
from engarde.util.terminal import complain, has_begun_change, step

INSTALL = ".venv/bin/python -m pip install --require-hashes -r requirements.lock"
"""What gets all that the program and the tool need; `make up` installs more."""

DEBUG = "ENGARDE_DEBUG"
"""If it is `1`, a traceback is printed, too."""


def hold(lock: IO[str], waiting: str) -> None:
    """Locks an open file, and says so while it waits; the kernel releases the lock of a dead process."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with step(waiting):
            fcntl.flock(lock, fcntl.LOCK_EX)


def become(program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replaces this process by a program, found on the PATH of this environment; signals and exit code are its own.

    :raises OSError: it cannot be run.
    """
    # Python ignores these, and a program would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(program, [program, *arguments], environment)


@contextmanager
def interrupts() -> Iterator[None]:
    """Turns an interrupt into an exception in the block; outside of it, an interrupt ends the process at once."""
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


def unforeseen(error: Exception) -> int:
    """Reports an unexpected error and returns the exit code; prints no messages but the system's own."""
    if os.environ.get(DEBUG) == "1":
        complain(masked("".join(traceback.format_exception(error)).rstrip("\n")))
    begun = "; something may have been changed: run the same command again" if has_begun_change() else ""
    if isinstance(error, ImportError):
        complain(f".venv is incomplete ({error}): run `{INSTALL}`{begun}")
    elif isinstance(error, OSError):
        complain(f"{masked(str(error))}{begun}")
    else:
        *_, (code, line) = ((frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__))
        where = f"{Path(code.co_filename).name}:{line}"
        complain(f"internal error: {type(error).__name__} in {where}{begun}; set {DEBUG}=1 to see the traceback")
        return INTERNAL
    return Unfinished.exit_code if begun else EngardeError.exit_code
