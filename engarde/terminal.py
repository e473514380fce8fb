"""What is printed: results go to standard output, all else to standard error, and nothing goes there past this."""

from __future__ import annotations

import os
import sys

from engarde.visible import BREAKS, visible


def say(line: str) -> None:
    """Tells the operator in one line what goes on."""
    tell(visible(line, keep="\t"))


def complain(reason: object) -> None:
    """Tells the operator why it does not go on; the reason may have several lines."""
    tell(f"engarde: {visible(str(reason), keep=BREAKS)}")


def put(text: str) -> None:
    """Prints a result, which may have several lines."""
    print(visible(text, keep=BREAKS), flush=True)


def is_screen() -> bool:
    """Whether results go to a terminal."""
    return sys.stdout.isatty()


def tell(text: str) -> None:
    """Prints on standard error, for as long as anybody reads that: what is at work goes on without."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        # What is left in the buffer would fail again at the end, and change the exit code.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
