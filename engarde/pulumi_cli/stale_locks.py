"""Locks and torn files that killed runs left in a file backend."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from urllib.parse import unquote

from engarde.declaration.loader import FOLDER
from engarde.declaration.stack_names import PROJECT, short_name
from engarde.util.files import read_text
from engarde.util.processes import command_of

FILES = "file://"
OLD = 60.0
"""A younger lock may be about to be released [seconds]."""


@dataclass(frozen=True, slots=True)
class Lock:
    file: Path
    pid: int
    since: str
    """when it was taken, as Pulumi wrote it"""
    host: str
    age: float
    """seconds"""

    @property
    def here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def abandoned(self) -> bool:
        """Whether its process is gone; a process on another machine counts as alive, and a pid may be reused."""
        return self.here and "pulumi" not in command_of(self.pid)


def locks(backend: str, stack: str) -> Iterator[Lock]:
    """The abandoned locks on a stack; none if the backend is not files."""
    return (lock for lock in _taken(backend, stack) if lock.abandoned and lock.age >= OLD and lock.file.exists())


def remove_locks(backend: str, stack: str) -> bool:
    """Removes all abandoned locks, however old; returns whether there were any.

    One by one: Pulumi's own `cancel` would remove the locks of live processes, too.
    """
    found = [lock for lock in _taken(backend, stack) if lock.abandoned]
    for lock in found:
        lock.file.unlink(missing_ok=True)
    return bool(found)


def holder(backend: str, stack: str) -> str | None:
    held = next((lock for lock in _taken(backend, stack) if not lock.abandoned), None)
    if held is None:
        return None
    return f"process {held.pid}" + ("" if held.here else f" on {held.host}")


def _taken(backend: str, stack: str) -> Iterator[Lock]:
    for file in _files(backend, f"locks/organization/{PROJECT}/{short_name(stack)}", "*.json"):
        try:
            age = time.time() - file.stat().st_mtime
            content = json.loads(read_text(file))
            lock = Lock(file, content["pid"], content["timestamp"], content["hostname"], age)
        except (OSError, ValueError, KeyError, TypeError):  # gone by now, or half-written
            continue
        yield lock


def torn(backend: str, stack: str) -> Iterator[Path]:
    """The empty side files of a stack's state, left by a killed Pulumi; it writes the state itself whole.

    Pulumi cannot read the state beside an empty one. A side file only repeats the type and digest of its neighbour.
    """
    for file in _files(backend, f"stacks/{PROJECT}", f"{escape(short_name(stack))}.json*.attrs"):
        if not file.stat().st_size:
            yield file


def _files(backend: str, folder: str, pattern: str) -> list[Path]:
    if not backend.startswith(FILES):
        return []
    path = Path(unquote(backend.removeprefix(FILES).partition("?")[0])).expanduser()
    return sorted((FOLDER / path / ".pulumi" / folder).glob(pattern))
