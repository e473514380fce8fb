"""An interrupt in the first moments of a command: it ends without a traceback, whatever it is importing then."""

import os
import signal
import subprocess
import time

import pytest

from launcher.paths import PROJECT
from tests.engine.stopping import interruptible

STEPS = 12
LONGEST = 0.6
"""By then all is imported [seconds]."""


@pytest.mark.parametrize(
    "command", [["engarde", "verify", "--stack", "none"], ["engarde", "--help"], ["pulumi", "version"]]
)
def test_it_is_quiet(command: list[str]) -> None:
    program, *words = command
    ended = set()
    for step in range(STEPS):
        running = subprocess.Popen(
            [PROJECT / "bin" / program, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=interruptible,
        )
        time.sleep(LONGEST * step / STEPS)
        os.kill(running.pid, signal.SIGINT)
        said = "".join(running.communicate(timeout=60))
        assert "Traceback" not in said, said
        assert "Aborted" not in said, said
        ended.add(running.returncode)
    assert ended <= {-signal.SIGINT, 130, 0, 2}
    assert ended & {-signal.SIGINT, 130}
