"""What was begun: written before each step and after it, so that a killed split is gone on with or undone."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from urllib.parse import quote

from pydantic import ConfigDict

from engarde.checks import journals
from engarde.checks.journals import read_journal, write_journal
from engarde.util.quoting import word


class Step(IntEnum):
    """How far a move has come; what stands here is done."""

    BEGUN = 0
    PREPARED = 1
    """the new database is there, with all that the rows need"""
    SHUT = 2
    """nobody outside knows the password that is in force"""
    COPIED = 3
    RESTORED = 4
    LEFT = 5
    """the role cannot enter the old database any more, and the copy is what is in it"""
    SWITCHED = 6
    """the stack file says so"""
    UP = 7
    OPENED = 8
    """the right password is in force"""
    DELIVERED = 9
    DONE = 10


@dataclass(frozen=True, slots=True)
class MoveJournal:
    """One service's move, until the data that it left is dropped."""

    # What another release knows besides may say what is not to be done.
    __pydantic_config__ = ConfigDict(extra="forbid")

    service: str
    source: str | None
    """the database from which it was moved out first, as a service states it"""
    target: str
    returning: bool
    """whether it is on its way back"""
    step: Step = Step.BEGUN
    folder: str | None = None
    """the backup that this direction has made"""
    carried: tuple[str, ...] = ()
    """the declared extensions that the service needs"""
    made_database: bool = False
    made_schema: bool = False
    made_role: bool = False
    since: str = ""
    """when this direction was begun"""

    @property
    def way(self) -> tuple[str | None, str | None]:
        """From where to where, as things go now."""
        return (self.target, self.source) if self.returning else (self.source, self.target)

    @property
    def state(self) -> str:
        """Where the service is going."""
        return f"{self.service} is on its way {'back from' if self.returning else 'to'} {self.target}"

    def goes_on(self, stack: str) -> str:
        """The command that brings it to its end."""
        run = f"bin/engarde split run {word(self.service)} --stack {word(stack)} --to {word(self.target)}"
        return self.goes_back(stack) if self.returning else run

    def goes_back(self, stack: str) -> str:
        """The command that undoes it, or goes on with the way back."""
        return f"bin/engarde split back {word(self.service)} --stack {word(stack)}"

    def told(self, stack: str) -> str:
        """What is said to whoever wants another move."""
        back = f"`{self.goes_back(stack)}` goes back"
        if not self.returning and self.step == Step.DONE:
            finish = f"bin/engarde split finish {word(self.service)} --yes-drop-old --stack {word(stack)}"
            return f"{self.service} was moved to {self.target}: `{finish}` drops what it left, {back}"
        return f"{self.state}: `{self.goes_on(stack)}` goes on{'' if self.returning else f', {back}'}"


def read(stack: str, service: str) -> MoveJournal | None:
    """The journal as it is; none where nothing was begun.

    :raises Refused: the file cannot be read.
    """
    return read_journal(_file(stack, service), MoveJournal)


def every(stack: str) -> Iterator[MoveJournal]:
    """The journals of all services.

    :raises Refused: a file cannot be read.
    """
    files = (journals.PRIVATE / f"split.{stack}").glob("*.json")
    return filter(None, (read_journal(file, MoveJournal) for file in sorted(files)))


def names(stack: str, service: str, way: tuple[str | None, str | None], *, preview: bool) -> bool:
    """Whether an open move takes the service from the one database to the other, and has come to a run that does so.

    :raises Refused: the file cannot be read.
    """
    begun = read(stack, service)
    return (
        begun is not None and begun.way == way and (preview or begun.step >= Step.SWITCHED) and begun.step < Step.DONE
    )


def known(stack: str, service: str) -> bool:
    """Whether a move of the service was begun and has left anything to do."""
    return _file(stack, service).exists()


def write(stack: str, journal: MoveJournal) -> None:
    """Keeps it on the disk, whole, before anything else is done."""
    write_journal(_file(stack, journal.service), journal)


def forget(stack: str, service: str) -> None:
    """Nothing of it is left to do."""
    _file(stack, service).unlink(missing_ok=True)


def _file(stack: str, service: str) -> Path:
    return journals.PRIVATE / f"split.{stack}" / f"{quote(service, safe='')}.json"
