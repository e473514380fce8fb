"""Files that are on the disk, whole, before anything else is done."""

from __future__ import annotations

import os
from pathlib import Path

from engarde.util.terminal import begin_change


def write(file: Path, draft: Path, text: str) -> None:
    """Puts the text in the file's place in one step; the draft is on the same file system."""
    begin_change()
    with draft.open("w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
