"""Reads only regular files up to a size, and writes files whole or not at all."""

import errno
import io
import os
from pathlib import Path
from stat import S_ISREG

from engarde.util.terminal import begin_change

LARGEST = 4_000_000
"""Of a file that a person writes [bytes]."""

READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
"""Opening a FIFO would wait until somebody writes into it."""


def read_bytes(file: Path | str, largest: int = LARGEST, *, folder: int | None = None) -> bytes:
    """The contents of a file; with the descriptor of its folder, no link is followed.

    :raises OSError: it cannot be read, is no regular file, or holds more.
    """
    opened = os.open(file, READING | (os.O_NOFOLLOW if folder is not None else 0), dir_fd=folder)
    try:
        if not S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(file))
        with os.fdopen(opened, "rb", closefd=False) as reading:
            # Read instead of asking for the size: that of a file in /proc is 0, and another file may grow.
            found = reading.read(largest + 1)
    finally:
        os.close(opened)
    if len(found) > largest:
        raise OSError(errno.EFBIG, f"longer than {largest} bytes", str(file))
    return found


def read_text(file: Path | str, largest: int = LARGEST, *, folder: int | None = None) -> str:
    """The same as text, each line ended as Python ends it.

    :raises OSError: as above.
    :raises UnicodeDecodeError: it is not UTF-8.
    """
    return io.StringIO(read_bytes(file, largest, folder=folder).decode("utf-8"), newline=None).getvalue()


def write_whole(file: Path, draft: Path, text: str) -> None:
    """Replaces the file in one step, and waits until it is on the disk.

    The draft is on the same file system.
    """
    begin_change()
    with draft.open("w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
