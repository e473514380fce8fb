"""What is printed: results go to standard output, all else to standard error, and nothing goes there past this."""

from __future__ import annotations

import sys

from engarde.visible import BREAKS, visible


def say(line: str) -> None:
    """Tells the operator in one line what goes on."""
    _print(visible(line, keep="\t"), error=True)


def complain(reason: object) -> None:
    """Tells the operator why it does not go on; the reason may have several lines."""
    _print(f"engarde: {visible(str(reason), keep=BREAKS)}", error=True)


def put(text: str) -> None:
    """Prints a result, which may have several lines."""
    _print(visible(text, keep=BREAKS))


def is_screen() -> bool:
    """Whether results go to a terminal."""
    return sys.stdout.isatty()


def _print(text: str, *, error: bool = False) -> None:
    print(text, file=sys.stderr if error else sys.stdout, flush=True)
