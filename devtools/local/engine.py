"""The engine on this machine, and at work on stack `local`, through the project's own `bin/pulumi`."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from devtools.local import state
from engarde.errors import EngardeError
from engarde.pulumi_cli.process import TAKE_OVER, engine
from engarde.util.terminal import is_screen
from launcher import install as launcher
from launcher.engine import EngineMissing, found
from launcher.paths import PRIVATE, PROJECT, STAND_INS_HOME
from launcher.plugins import PINNED, folder_of

STAND_IN = PROJECT / "devtools/provider_stubs/pulumi-resource"
"""The part of each stand-in that the engine runs where it finds its plugins; it starts the rest where that lies."""


class EngineFailed(EngardeError):
    """The engine said what went wrong; nothing is left to say."""

    exit_code = 1


def obtain(*, anew: bool = False) -> None:
    """Gets an engine and its plugins; with `anew`, also where an earlier run has found some."""
    install_stand_ins()
    try:
        if not anew:
            found()
            return
    except EngineMissing:
        pass
    launcher.engine()


def install_stand_ins() -> None:
    """Puts our stand-ins, as the working tree has them, where a run without the vendor's plugins finds them."""
    # The engine would make it too, closed to the user that a server of root's runs as.
    PRIVATE.mkdir(exist_ok=True)
    for name in PINNED:
        installed = folder_of(STAND_INS_HOME, name) / f"pulumi-resource-{name}"
        if not installed.exists() or installed.read_bytes() != STAND_IN.read_bytes():
            installed.parent.mkdir(parents=True, exist_ok=True)
            draft = installed.with_name("draft")
            shutil.copy2(STAND_IN, draft)
            draft.replace(installed)


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
