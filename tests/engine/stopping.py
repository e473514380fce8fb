"""The tool, to which something happens in the middle of its work."""

import signal
import subprocess
import sys

from tests.engine.program import LIMIT, Project

KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
AT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from importlib import import_module
module, name, when, what = (sys.argv.pop(1) for _ in range(4))
where = import_module("engarde." + module)
*path, name = name.split(".")
for each in path:
    where = getattr(where, each)
real = getattr(where, name)
def stopped(*given, **named):
    done = real(*given, **named) if when == "after" else None
    exec(what)
    return done if when == "after" else real(*given, **named)
setattr(where, name, stopped)
from engarde.cli import main
main(prog_name="engarde")
"""

Moment = tuple[str, str, str]
"""a module of the tool's, a function in it, `before` or `after`"""


def stopped(
    project: Project, at: Moment, what: str, *words: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Runs a command, and what is written here happens to it at that moment."""
    return subprocess.run(
        [sys.executable, "-P", "-c", AT, str(project.folder), *at, what, *words],
        cwd=project.folder,
        env=project._environment() | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


def interruptible() -> None:
    """What a shell starts in the background ignores an interrupt, and so does what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
