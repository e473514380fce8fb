"""The project's engine, started and waited for; the tool has no other way to it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from engarde.errors import Unreachable
from engarde.masking import masked
from engarde.terminal import say

# Not resolved: a folder whose program is a link to another's has a stack file and an engine of its own.
FOLDER = Path(__file__).absolute().parent.parent
"""The project: stack files, `bin/pulumi`."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def engine(
    *arguments: str, shown: bool = False, environment: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[str]:
    """A command of the engine that has ended, well or not; where it is `shown`, it says all on standard error.

    What it complains of is masked: it may quote the stack file.

    :raises Unreachable: no engine.
    """
    try:
        started = subprocess.Popen(
            [FOLDER / "bin" / "pulumi", *arguments, "--non-interactive"],
            cwd=FOLDER,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if shown else subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise Unreachable(f"no engine: {error}; get one with `make up`") from None
    return _ended(started, shown=shown)


def _ended(started: subprocess.Popen[str], *, shown: bool) -> subprocess.CompletedProcess[str]:
    told, interrupted = threading.Event(), False
    if shown:
        # In a thread no interrupt takes a line away; one that is interrupted in `join` counts as ended.
        threading.Thread(target=_tell, args=(started, told), daemon=True).start()
    while True:
        try:
            if shown:
                told.wait()
            said, complained = started.communicate()
        except KeyboardInterrupt:
            # The terminal has told the engine, too: killed before it ends by itself, it would leave its lock.
            interrupted = True
            continue
        if interrupted:
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(started.args, started.returncode, said or "", masked(complained or ""))


def _tell(started: subprocess.Popen[str], told: threading.Event) -> None:
    # Its words may be the server's, with a name in them that a terminal would obey.
    try:
        for line in started.stdout or ():
            say(masked(line.rstrip("\n")))
    finally:
        told.set()
