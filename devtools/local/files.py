"""Files that are whole whenever the process is killed."""

import os
import shutil
from pathlib import Path

from launcher.paths import PRIVATE

OWNER_ONLY = 0o600


def write(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Puts the text in the file's place in one step."""
    PRIVATE.mkdir(exist_ok=True)
    draft = PRIVATE / "draft"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as opened:
        opened.write(text)
    draft.replace(path)


def remove(path: Path) -> bool:
    """Removes a file, or a folder with all that is in it; False when there is none."""
    if not os.path.lexists(path):
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return True
