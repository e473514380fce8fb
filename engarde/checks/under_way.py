"""Moves and rotations that were begun on this machine and have not come to their end."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.checks import journals
from engarde.checks.journals import Step
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import word


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


def under_way(stack: str, roles: dict[str, str]) -> tuple[UnderWay, ...]:
    """All that is open in the stack of this name; `roles` has those of its logins, by what these are called.

    :raises Refused: what was begun cannot be read.
    """
    return (*_moves(stack, roles), *_rotations(stack, roles))


def _moves(stack: str, roles: dict[str, str]) -> Iterator[UnderWay]:
    for begun in journals.moves(stack):
        if begun.step == Step.DONE and not begun.returning:
            continue
        closed = Step.PREPARED <= begun.step < Step.OPENED
        state = f"{begun.state}, and shut out" if closed else begun.state
        goes = begun.goes_on(stack), "" if begun.returning else begun.goes_back(stack)
        yield UnderWay("move", begun.service, roles.get(begun.service), begun.since, state, *goes)


def _rotations(stack: str, roles: dict[str, str]) -> Iterator[UnderWay]:
    kept = journals.read_rotations(stack)
    for name, counter in kept.begun.items():
        shut = f"{name} is shut out" if name in kept.shut else "its new password may be in force, and not delivered"
        state = f"its counter goes to {counter}, and {shut}"
        command = f"bin/engarde rotate {word(name)} --stack {word(stack)}"
        yield UnderWay("rotation", name, roles.get(name), kept.since.get(name, ""), state, command)
