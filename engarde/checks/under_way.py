"""Moves and rotations that were begun on this machine and are not finished."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.checks import journals
from engarde.checks.journals import Step
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import word


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An unfinished command, and how to resume it."""

    kind: str
    """`move` or `rotation`"""
    login: str
    """a service's name, or `analytics`"""
    role: str | None
    """None if the stack file does not declare the login"""
    since: str
    """when it was begun; empty if an older release began it"""
    state: str
    goes_on: str
    """the command that resumes it"""
    goes_back: str = ""
    """the command that undoes it, if there is one"""

    def __str__(self) -> str:
        """The warning before every other command on the stack."""
        back = f", and `{self.goes_back}` undoes it" if self.goes_back else ""
        return f"{self.login}: {self.what}. If it is not running right now, `{self.goes_on}` resumes it{back}"

    @property
    def what(self) -> str:
        """What was begun, when, and what that means until it is finished."""
        since = f" since {self.since}" if self.since else ""
        return f"a {self.kind} is open{since}: {self.state}"

    def finding(self) -> Finding:
        """The same as a finding."""
        remedy = Remedy("command", self.goes_on)
        concerns = frozenset({self.role} if self.role else ())
        return Finding(f"open {self.kind}", self.login, "finished, or undone", self.what, remedy, concerns)


def under_way(stack: str, roles: dict[str, str]) -> tuple[UnderWay, ...]:
    """Everything that is open in the stack; `roles` has the roles of its logins, by the tool's names for them.

    :raises Refused: a journal cannot be read.
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
        shut = f"{name} is shut out" if name in kept.shut else "its new password may be set but not delivered"
        state = f"its counter goes to {counter}, and {shut}"
        command = f"bin/engarde rotate {word(name)} --stack {word(stack)}"
        yield UnderWay("rotation", name, roles.get(name), kept.since.get(name, ""), state, command)
