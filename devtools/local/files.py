"""The files of stack `local` in the project: whole whenever the process is killed, and known as ours."""

import os
import shutil
from pathlib import Path

from engarde.util.files import read_text, write_whole
from launcher.paths import PRIVATE, PROJECT

STACK_FILE = PROJECT / "Pulumi.local.yaml"
DERIVED = "Derived from Pulumi.prod.yaml by `make up`"
"""Begins a stack file of our making."""

OWNER_ONLY = 0o600


def is_derived() -> bool:
    """False for a stack file that somebody wrote without us."""
    return STACK_FILE.exists() and DERIVED in read_text(STACK_FILE).partition("\n")[0]


def write(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Puts the text in the file's place in one step."""
    PRIVATE.mkdir(exist_ok=True)
    draft = PRIVATE / "draft"
    draft.unlink(missing_ok=True)
    draft.touch(mode, exist_ok=False)
    write_whole(path, draft, text)


def remove(path: Path) -> bool:
    """Removes a file, or a folder with all that is in it; False when there is none."""
    if not os.path.lexists(path):
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return True
