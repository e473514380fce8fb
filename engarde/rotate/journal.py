"""What was begun: written before the stack file is touched, so that a killed rotation is gone on with, not repeated."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from engarde.checks.under_way import PRIVATE, now
from engarde.errors import Refused
from engarde.util.files import read_text, write_whole


@dataclass(frozen=True, slots=True)
class Journal:
    """What rotations of a stack have still to do."""

    begun: Mapping[str, int]
    """the logins that are under way, each with the counter it is to reach"""
    asked: frozenset[str] = frozenset()
    """the logins that the last command was about"""
    left: tuple[str, ...] = ()
    """those of them that are not done"""
    shut: frozenset[str] = frozenset()
    """the logins under way that were shut out by a password which the state does not know"""
    since: Mapping[str, str] = field(default_factory=dict)
    """when each that is under way was begun"""

    def remaining(self, names: Sequence[str]) -> list[str]:
        """What such a command has still to do; all of it, unless it was stopped or killed before."""
        goes_on = self.left and self.asked == set(names)
        return [name for name in names if name in self.left or not goes_on]


def read(stack: str) -> Journal:
    """The journal as it is; empty where nothing was begun.

    :raises Refused: the file cannot be read.
    """
    file = _file(stack)
    try:
        found = json.loads(read_text(file))
        begun = {str(name): int(counter) for name, counter in found["begun"].items()}
        asked, shut = frozenset(map(str, found["asked"])), frozenset(map(str, found.get("shut", ())))
        since = {str(name): str(when) for name, when in found.get("since", {}).items()}
        return Journal(begun, asked, tuple(map(str, found["left"])), shut, since)
    except FileNotFoundError:
        return Journal({})
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        raise Refused(f"{file} cannot be read, so that it is not known what was begun; mend it or remove it") from None


def ask(stack: str, names: Sequence[str], left: Sequence[str]) -> None:
    """Remembers which logins a command is about, and which of them have still to be done."""
    _write(stack, replace(read(stack), asked=frozenset(names), left=tuple(left)))


def begin(stack: str, login: str, counter: int) -> None:
    """Remembers a login until its `end`."""
    found = read(stack)
    _write(
        stack,
        replace(found, begun={**found.begun, login: counter}, since={login: now(), **found.since}),
    )


def shut(stack: str, login: str) -> None:
    """Remembers that a login is about to be shut out."""
    found = read(stack)
    _write(stack, replace(found, shut=found.shut | {login}))


def end(stack: str, login: str) -> None:
    """Forgets a login."""
    found = read(stack)
    begun = {name: counter for name, counter in found.begun.items() if name != login}
    left = tuple(name for name in found.left if name != login)
    since = {name: when for name, when in found.since.items() if name != login}
    _write(stack, replace(found, begun=begun, left=left, shut=found.shut - {login}, since=since))


def folder(stack: str) -> Path:
    """Where this stack's rotations keep what they need while they run."""
    made = PRIVATE / f"rotation.{stack}"
    made.mkdir(parents=True, exist_ok=True)
    return made


@contextmanager
def alone(stack: str) -> Iterator[None]:
    """One rotation of a stack at a time; the kernel lets go of a killed one's lock.

    :raises Refused: another one is at work.
    """
    with (folder(stack) / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another `rotate` is at work on stack {stack}; let it come to its end") from None
        yield


def _file(stack: str) -> Path:
    return PRIVATE / f"rotation.{stack}.json"


def _write(stack: str, journal: Journal) -> None:
    if not journal.begun and not journal.left:
        _file(stack).unlink(missing_ok=True)
        return
    content = {
        "begun": dict(journal.begun),
        "asked": sorted(journal.asked),
        "left": list(journal.left),
        "shut": sorted(journal.shut),
        "since": dict(journal.since),
    }
    write_whole(_file(stack), folder(stack) / "journal", json.dumps(content))
