"""The tool, whose reader or terminal goes away while it works, or has no room left."""

import os
import pty
import subprocess
from typing import Literal

from tests.engine.backups import clients
from tests.engine.program import LIMIT, Project

How = Literal["unread", "full", "terminal"]

ON_A_TERMINAL = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "


def unheard(project: Project, how: How, *words: str, after: str = "", **environment: str) -> int:
    """With what the command ends, whose output is lost once it has said something with this in it.

    Where the disk is full, nothing of it is ever written.
    """
    command = project.tool_command(*words)
    if how == "terminal":
        reading, writing = pty.openpty()
        command[3] = ON_A_TERMINAL + command[3]
    elif how == "full":
        reading, writing = os.open("/dev/null", os.O_RDONLY), os.open("/dev/full", os.O_WRONLY)
    else:
        reading, writing = os.pipe()
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env={**project._environment(), **clients(project), **environment},
        stdin=writing if how == "terminal" else subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=how == "terminal",
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as heard:
        found = any(after.encode() in line for line in heard)
    # A file that is read to its end has told everything, and the command is over.
    assert found or how == "full"
    return process.wait(LIMIT)
