"""What was begun: written before the stack file is touched, so that a killed rotation is gone on with, not repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engarde.checks import journals
from engarde.checks.journals import now, read_journal, write_journal


@dataclass(frozen=True, slots=True)
class RotationJournal:
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


def read(stack: str) -> RotationJournal:
    """The journal as it is; empty where nothing was begun.

    :raises Refused: the file cannot be read.
    """
    return read_journal(_file(stack), RotationJournal) or RotationJournal({})


def ask(stack: str, names: Sequence[str], left: Sequence[str]) -> None:
    """Remembers which logins a command is about, and which of them have still to be done."""
    _write(stack, replace(read(stack), asked=frozenset(names), left=tuple(left)))


def begin(stack: str, login: str, counter: int) -> None:
    """Remembers a login until its `end`."""
    found = read(stack)
    _write(stack, replace(found, begun={**found.begun, login: counter}, since={login: now(), **found.since}))


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


def _file(stack: str) -> Path:
    return journals.PRIVATE / f"rotation.{stack}.json"


def _write(stack: str, journal: RotationJournal) -> None:
    if journal.begun or journal.left:
        write_journal(_file(stack), journal)
    else:
        _file(stack).unlink(missing_ok=True)
