"""What killed engines left behind, as far as a state in files shows it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from urllib.parse import unquote

from engarde.stack import FOLDER
from engarde.stackfile import PROJECT
from toolchain.processes import command_of

FILES = "file://"
OLD = 60.0
"""A younger lock may be one that an engine is about to give back [seconds]."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock whose engine has ended."""

    pid: int
    since: str
    """when it was taken, as the engine wrote it"""


def locks(backend: str, stack: str) -> Iterator[Lock]:
    """The locks on a stack that nobody holds; none where the state is not in files."""
    for file in _files(backend, f"locks/organization/{PROJECT}/{stack}", "*.json"):
        lock = _abandoned(file)
        if lock and file.exists():
            yield lock


def torn(backend: str, stack: str) -> Iterator[Path]:
    """The side files of a stack's state that the engine had made and not yet filled; the state itself it writes whole.

    With an empty one it reads no state at all. A side file only repeats the type and the digest of its neighbour.
    """
    for file in _files(backend, f"stacks/{PROJECT}", f"{escape(stack)}.json*.attrs"):
        if not file.stat().st_size:
            yield file


def _files(backend: str, folder: str, pattern: str) -> list[Path]:
    if not backend.startswith(FILES):
        return []
    path = Path(unquote(backend.removeprefix(FILES).partition("?")[0])).expanduser()
    return sorted((FOLDER / path / ".pulumi" / folder).glob(pattern))


def _abandoned(file: Path) -> Lock | None:
    try:
        age = time.time() - file.stat().st_mtime
        content = json.loads(file.read_text())
        lock, host = Lock(content["pid"], content["timestamp"]), content["hostname"]
    except (OSError, ValueError, KeyError, TypeError):  # gone by now, or half-written
        return None
    # Of a process on another machine nothing is known; and a number alone may be another program's by now.
    held = host != socket.gethostname() or "pulumi" in command_of(lock.pid)
    return None if held or age < OLD else lock
