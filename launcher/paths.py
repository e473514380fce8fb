"""Where the launcher keeps things: in the project, and once per user for all clones."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from engarde.util.processes import hold

PROJECT = Path(__file__).resolve().parent.parent
PRIVATE = PROJECT / ".engarde"
"""Everything that the make targets make inside the project, apart from `.venv` and `Pulumi.local.yaml`."""

STATE = PRIVATE / "state"
PASSPHRASE = PRIVATE / "passphrase"
STAND_INS_HOME = PRIVATE / "pulumi-home"
"""The PULUMI_HOME that may hold provider stubs: the project's own, which no other project uses."""

GO_MODULE = PROJECT / "launcher/gomodule"


def pulumi_home() -> Path:
    """The user's own PULUMI_HOME, also in a child of a run that has set another one."""
    given = Path(os.environ.get("PULUMI_HOME", ""))
    ours = given.parts[-2:] == STAND_INS_HOME.parts[-2:]
    return Path.home() / ".pulumi" if ours or not given.parts else given


def cache() -> Path:
    """The folder that all clones of one user share."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "engarde"


def kept(name: str, make: Callable[[Path], None], within: Path | None = None) -> Path:
    """The folder of that name, filled by `make` if necessary; it appears whole or not at all, whoever makes it."""
    home = within or cache()
    folder = home / name
    if folder.exists():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with (home / f".{name}.lock").open("w") as lock:
        hold(lock, "another run of this user is making the same: waiting for it")
        if folder.exists():
            return folder
        for left_behind in home.glob(f".{name}-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
        try:
            make(draft)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder
