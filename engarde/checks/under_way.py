"""Moves and rotations that were begun on this machine and have not come to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.process import FOLDER
from engarde.util.quoting import word

PRIVATE = FOLDER / ".engarde"
"""Git-ignored: what is under way on this machine is nobody else's."""


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
        state = f"{begun.service} is {'on its way back from' if begun.returning else 'on its way to'} {begun.target}"
        shut = ", and shut out" if closed else ""
        where = f"{word(begun.service)} --stack {word(stack)}"
        back = f"bin/engarde split back {where}"
        run = f"bin/engarde split run {where} --to {word(begun.target)}"
        goes = (back, "") if begun.returning else (run, back)
        yield UnderWay("move", begun.service, roles.get(begun.service), begun.since, f"{state}{shut}", *goes)


def _rotations(stack: str, roles: dict[str, str]) -> Iterator[UnderWay]:
    from engarde.rotate import journal

    kept = journal.read(stack)
    for name, counter in kept.begun.items():
        shut = f"{name} is shut out" if name in kept.shut else "its new password may be in force, and not delivered"
        state = f"its counter goes to {counter}, and {shut}"
        command = f"bin/engarde rotate {word(name)} --stack {word(stack)}"
        yield UnderWay("rotation", name, roles.get(name), kept.since.get(name, ""), state, command)
