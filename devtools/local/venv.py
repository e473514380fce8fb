"""Makes `.venv` from requirements.lock and requirements-dev.txt, anew when they change; needs Python alone."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from devtools.local.state import remove
from engarde.util.processes import hold
from engarde.util.terminal import step, tell
from launcher.paths import PROJECT

VENV = PROJECT / ".venv"
LOCK = PROJECT / "requirements.lock"
REQUIREMENTS = (PROJECT / "requirements-dev.txt", PROJECT / "requirements.txt", LOCK)
UNFINISHED = "engarde-unfinished"
"""A file in an unfinished `.venv`, by which it is recognized."""

FINISHED = "engarde-requirements"
"""A file in a finished `.venv` that says what it was made from."""

# They would make pip install somewhere else.
ELSEWHERE = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}


def main() -> int:
    # The children hold the lock too: when this process is killed, the next one waits until pip has ended.
    with REQUIREMENTS[0].open("r+") as lock:
        hold(lock, "Waiting for another run that makes .venv")
        wanted = hashlib.sha256(b"".join(file.read_bytes() for file in REQUIREMENTS)).hexdigest()
        if _made_from() == wanted:
            return 0
        try:
            _make(wanted, lock.fileno())
        except subprocess.CalledProcessError as error:
            tell(f".venv was not made: `{' '.join(map(str, error.cmd))}` failed. Run `make` again: it starts over")
            return 1
    return 0


def is_ours(venv: Path) -> bool:
    """False for one that somebody made without us."""
    return (venv / UNFINISHED).exists() or (venv / FINISHED).exists()


def _made_from() -> str | None:
    """None also if its Python is no longer on the machine."""
    try:
        subprocess.run([VENV / "bin" / "python", "-c", ""], check=True)
        return (VENV / FINISHED).read_text()
    except (OSError, subprocess.CalledProcessError):
        return None


def _make(wanted: str, lock: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, cwd=PROJECT, env=environment, pass_fds=[lock])

    with step(f"Making .venv with Python {sys.version.split()[0]}"):
        _empty()
        run(sys.executable, "-m", "venv", VENV)
    pip = (VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    with step("Installing requirements.lock and requirements-dev.txt (a minute or so)"):
        # What production has is there first, and stays: pip changes nothing that suffices.
        run(*pip, "--require-hashes", "-r", LOCK)
        run(*pip, "-r", REQUIREMENTS[0])
    (VENV / UNFINISHED).write_text(wanted)
    (VENV / UNFINISHED).rename(VENV / FINISHED)


def _empty() -> None:
    if VENV.is_symlink():
        VENV.unlink()
    VENV.mkdir(exist_ok=True)
    (VENV / UNFINISHED).touch()
    for entry in VENV.iterdir():
        if entry.name != UNFINISHED:
            remove(entry)


if __name__ == "__main__":
    sys.exit(main())
