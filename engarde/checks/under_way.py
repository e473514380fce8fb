"""Moves and rotations that were begun on this machine and have not come to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from engarde.errors import Refused
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.process import FOLDER
from engarde.util.files import read_text, write_whole
from engarde.util.quoting import word

PRIVATE = FOLDER / ".engarde"
"""Git-ignored: what is under way on this machine is nobody else's."""

Journal = TypeVar("Journal")


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What was begun, and how it goes on."""

    kind: str
    """`move` or `rotation`"""
    login: str
    """a service's name, or `analytics`"""
    role: str | None
    """none where the stack file does not say"""
    since: str
    """when it was begun; empty where an older release has begun it"""
    state: str
    goes_on: str
    """the command that brings it to its end"""
    goes_back: str = ""
    """the command that undoes it, where there is one"""

    def __str__(self) -> str:
        """What whoever runs anything on the stack is told first."""
        back = f", and `{self.goes_back}` goes back" if self.goes_back else ""
        return (
            f"{self.login}: {self.what}. Unless that is at work right now, `{self.goes_on}` brings it to its end{back}"
        )

    @property
    def what(self) -> str:
        """What was begun, when, and what is so until it has ended."""
        since = f" since {self.since}" if self.since else ""
        return f"a {self.kind} is open{since}: {self.state}"

    def finding(self) -> Finding:
        """The same for whoever looks the stack over."""
        remedy = Remedy("command", self.goes_on)
        concerns = frozenset({self.role} if self.role else ())
        return Finding(f"open {self.kind}", self.login, "come to its end, or undone", self.what, remedy, concerns)


def now() -> str:
    """The time as it is kept in a journal, and printed."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def read_journal(file: Path, kind: type[Journal]) -> Journal | None:
    """What was written down of something that was begun; None where nothing was.

    :raises Refused: the file cannot be read.
    """
    try:
        return TypeAdapter(kind).validate_json(read_text(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise Refused(f"{file} cannot be read, so that it is not known what was begun; mend it or remove it") from None


def write_journal(file: Path, journal: object) -> None:
    """Keeps it on the disk, whole, before anything else is done."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = TypeAdapter(type(journal)).dump_json(journal).decode()
    write_whole(file, file.with_suffix(".draft"), text)


def folder(name: str) -> Path:
    """A folder for what a command needs while it runs."""
    made = PRIVATE / name
    made.mkdir(parents=True, exist_ok=True)
    return made


def under_way(stack: str, roles: dict[str, str]) -> tuple[UnderWay, ...]:
    """All that is open in the stack of this name; `roles` has those of its logins, by what these are called.

    :raises Refused: what was begun cannot be read.
    """
    # What reads them takes long to import, and is seldom needed.
    moves = [*_moves(stack, roles)] if any((PRIVATE / f"split.{stack}").glob("*.json")) else []
    rotations = [*_rotations(stack, roles)] if (PRIVATE / f"rotation.{stack}.json").exists() else []
    return (*moves, *rotations)


def _moves(stack: str, roles: dict[str, str]) -> Iterator[UnderWay]:
    from engarde.split import journal

    for begun in journal.every(stack):
        if begun.step == journal.Step.DONE and not begun.returning:
            continue
        closed = journal.Step.PREPARED <= begun.step < journal.Step.OPENED
        state = f"{begun.state}, and shut out" if closed else begun.state
        goes = begun.goes_on(stack), "" if begun.returning else begun.goes_back(stack)
        yield UnderWay("move", begun.service, roles.get(begun.service), begun.since, state, *goes)


def _rotations(stack: str, roles: dict[str, str]) -> Iterator[UnderWay]:
    from engarde.rotate import journal

    kept = journal.read(stack)
    for name, counter in kept.begun.items():
        shut = f"{name} is shut out" if name in kept.shut else "its new password may be in force, and not delivered"
        state = f"its counter goes to {counter}, and {shut}"
        command = f"bin/engarde rotate {word(name)} --stack {word(stack)}"
        yield UnderWay("rotation", name, roles.get(name), kept.since.get(name, ""), state, command)
