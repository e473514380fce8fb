"""What is made once per user and then serves every clone."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from engarde.util.processes import hold
from launcher.paths import cache


def kept(name: str, make: Callable[[Path], None], within: Path | None = None) -> Path:
    """The folder of that name, filled by `make` if need be; it appears whole or not at all, whoever else makes it."""
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
