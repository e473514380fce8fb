"""The engine at work on stack `local`, through the project's own `bin/pulumi`."""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from devtools.local import state
from engarde.errors import EngardeError
from engarde.pulumi_cli.process import engine
from engarde.util.terminal import is_screen
from launcher.paths import PROJECT

TAKE_OVER = "ENGARDE_TAKE_OVER"


class EngineFailed(EngardeError):
    """The engine said what went wrong; nothing is left to say."""

    exit_code = 1


def initialise() -> None:
    """Makes the stack unless it is there."""
    if not state.exists():
        _quietly("stack", "init", "local", "--no-select")


def seal(password: str) -> None:
    """Puts the admin's password into the stack file, encrypted."""
    _quietly("config", "set", "--secret", "adminPassword", "--stack", "local", given=password)


def up(take_over: Sequence[str]) -> None:
    """Runs the program, which draws its progress where there is a screen.

    :raises EngineFailed: when the engine ends with an error.
    """
    words = ["up", "--stack", "local", "--yes", "--skip-preview", "--suppress-outputs"]
    if state.pending():
        # What a killed run deleted is still in the state, and deleting it again fails.
        words.append("--refresh")
    environment = {**os.environ, TAKE_OVER: json.dumps(list(take_over))}
    if is_screen():
        ended = _end(subprocess.Popen([_pulumi(), *words], cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL))
    else:
        # Nobody may read to the end, which would be the engine's end, too.
        ended = engine(*words, work="change", environment=environment).returncode
    if ended:
        raise EngineFailed("`make up` did not come to its end; the engine says why, above")


def _end(engine: subprocess.Popen[bytes]) -> int:
    """Waits for the engine; an interrupt reaches it too, and it ends in its own good time."""
    while True:
        try:
            return engine.wait()
        except KeyboardInterrupt:
            continue


def forget_pending() -> None:
    """Drops what killed runs left open, once a whole run has made or taken over everything."""
    if state.pending():
        _quietly("stack", "import", "--stack", "local", given=_quietly("stack", "export", "--stack", "local"))


def changed() -> bool:
    """Whether the last run changed any resource."""
    (last,) = json.loads(_quietly("stack", "history", "--json", "--page-size", "1", "--stack", "local"))
    return set(last["resourceChanges"]) != {"same"}


def services() -> dict[str, Any]:
    """The stack output `services`."""
    return dict(json.loads(_quietly("stack", "output", "services", "--json", "--stack", "local")))


def _quietly(*words: str, given: str = "") -> str:
    done = subprocess.run([_pulumi(), *words], check=False, cwd=PROJECT, input=given, capture_output=True, text=True)
    if done.returncode:
        raise EngineFailed(f"`bin/pulumi {' '.join(words)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def _pulumi() -> str:
    return str(PROJECT / "bin/pulumi")
