"""Runs services' own programs as children of this process, in a limited environment, and ends them with it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import FrameType

from engarde.errors import Refused
from engarde.server.libpq import CERTIFICATES
from engarde.util.terminal import tell

INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "TERM", "COLORTERM"),
    *("NO_COLOR", "FORCE_COLOR", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR", *CERTIFICATES),
)
"""What a service's code gets of the operator's environment, besides LC_* and the variables of the stack file."""

GRACE = 10.0
"""How long a program may take to end before it is killed [seconds]."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
"""Of Linux's prctl(2)."""

START = f"""
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"cannot run {{command[0]}} in {{os.getcwd()}}: {{error.strerror}}")
"""
"""Becomes the program, which ends with its parent in any case. A function between fork and exec would be simpler, but
could wait for a lock that another thread has held."""


def environment(given: Mapping[str, str], more: Sequence[str]) -> dict[str, str]:
    """The part of an environment that a service's code gets."""
    return {name: value for name, value in given.items() if name in INHERITED or name in more or name[:3] == "LC_"}


def hide() -> None:
    """Closes this process to others of the same OS user: its environment, memory and files, in /proc and by ptrace.

    :raises Refused: Linux refuses it.
    """
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        why = os.strerror(ctypes.get_errno())
        raise Refused(
            f"services' code was not started, because it could read this process's environment: prctl failed: {why}"
        )


class Ended(BaseException):
    """This process was told to end, so what it does is given up."""


class Programs:
    """The programs that run now; all of them end with this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._told: signal.Signals | None = None
        self._grace = GRACE

    @contextmanager
    def running(
        self, name: str, command: Sequence[str], folder: Path, given: Mapping[str, str], *, errors: int
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Runs a service's program in a session of its own, without the operator's terminal.

        :raises Ended: this process was told to end, before or meanwhile.
        """
        with self._lock:
            self._refuse_ended()
            hide()
            process = self._running[name] = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", START, str(os.getpid()), *command],
                cwd=folder,
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _send(process, signal.SIGKILL)
            del self._running[name]
        self._refuse_ended()

    def _refuse_ended(self) -> None:
        if self._told:
            raise Ended

    @contextmanager
    def ending_with_this(self) -> Iterator[None]:
        """If this process is told to end in the block, it first tells its programs to end, then ends itself.

        If it is told again, it kills them.
        """
        before = {number: signal.getsignal(number) for number in ENDING}
        try:
            for number, handler in before.items():
                # In the background of a shell or under nohup, some signals are ignored.
                if handler is not signal.SIG_IGN:
                    signal.signal(number, self._end)
            yield
        except Ended:
            self._stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._told:
            os.kill(os.getpid(), self._told)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._told:
            self._grace = 0
        else:
            self._told = signal.Signals(number)
            raise Ended

    def _stop(self) -> None:
        assert self._told
        with self._lock:
            left = dict(self._running)
        for name, process in left.items():
            tell(f"{name}: stopping its migrations ({self._told.name})")
            _send(process, self._told)
        end = time.monotonic()
        while any(process.poll() is None for process in left.values()) and time.monotonic() < end + self._grace:
            time.sleep(0.05)
        for process in left.values():
            _send(process, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Tells a program to end, and kills it if it does not."""
    _send(process, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        _send(process, signal.SIGKILL)


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    """Signals a program and all processes of its group."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        tell(f"process {process.pid} runs as another OS user, so it was not ended: end it as that user")
