"""Journals in which commands that may be killed record what they have begun, so that they can resume."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pydantic import ConfigDict, TypeAdapter

from engarde.declaration.loader import FOLDER
from engarde.declaration.stack_names import short_name
from engarde.errors import Refused
from engarde.util.files import read_text, write_whole
from engarde.util.quoting import word

PRIVATE = FOLDER / ".engarde"
"""Git-ignored: what is under way on this machine concerns only this machine."""

Journal = TypeVar("Journal")


def now() -> str:
    """The time as journals have it, and as it is printed."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _read(file: Path, kind: type[Journal]) -> Journal | None:
    """What a journal records; None if there is no journal.

    :raises Refused: the file cannot be read.
    """
    try:
        return TypeAdapter(kind).validate_json(read_text(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise Refused(
            f"{file} cannot be read, so it is unknown which command is unfinished. Repair the file or remove it"
        ) from None


def _write(file: Path, journal: object) -> None:
    """Writes the whole journal to disk before anything else is done."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = TypeAdapter(type(journal)).dump_json(journal).decode()
    write_whole(file, file.with_suffix(".draft"), text)


def folder(command: str, stack: str) -> Path:
    """A folder for what a command needs while it works on a stack."""
    made = _place(command, stack)
    made.mkdir(parents=True, exist_ok=True)
    return made


def _place(command: str, stack: str, suffix: str = "") -> Path:
    return PRIVATE / f"{command}.{short_name(stack)}{suffix}"


class Step(IntEnum):
    """How far a move has come: each step is written once it is done."""

    BEGUN = 0
    PREPARED = 1
    """the new database exists, with everything that the rows need"""
    SHUT = 2
    """the service's login has a password that only this tool knows"""
    COPIED = 3
    RESTORED = 4
    LEFT = 5
    """the role can no longer connect to the old database, and the copy has all of its rows"""
    SWITCHED = 6
    """the stack file names the new database"""
    UP = 7
    OPENED = 8
    """the service's own password works again"""
    DELIVERED = 9
    DONE = 10


@dataclass(frozen=True, slots=True)
class MoveJournal:
    """One service's move, until the data that it left is dropped."""

    # A key that only another release knows may forbid what this release would do.
    __pydantic_config__ = ConfigDict(extra="forbid")

    service: str
    source: str | None
    """the database that the service first moved out of, as a service states it"""
    target: str
    returning: bool
    """whether it is moving back"""
    step: Step = Step.BEGUN
    folder: str | None = None
    """the backup made for this direction"""
    carried: tuple[str, ...] = ()
    """the declared extensions that the service needs"""
    made_database: bool = False
    made_schema: bool = False
    made_role: bool = False
    since: str = ""
    """when this direction was begun"""

    @property
    def way(self) -> tuple[str | None, str | None]:
        """From where to where it is moving now."""
        return (self.target, self.source) if self.returning else (self.source, self.target)

    @property
    def state(self) -> str:
        """Where the service is going."""
        return f"{self.service} is moving {'back from' if self.returning else 'to'} {self.target}"

    def goes_on(self, stack: str) -> str:
        """The command that resumes it."""
        run = f"bin/engarde split run {word(self.service)} --stack {word(stack)} --to {word(self.target)}"
        return self.goes_back(stack) if self.returning else run

    def goes_back(self, stack: str) -> str:
        """The command that moves the service back, or resumes that."""
        return f"bin/engarde split back {word(self.service)} --stack {word(stack)}"

    def told(self, stack: str) -> str:
        """Why another move is refused."""
        back = f"`{self.goes_back(stack)}` moves it back"
        if not self.returning and self.step == Step.DONE:
            finish = f"bin/engarde split finish {word(self.service)} --yes-drop-old --stack {word(stack)}"
            return f"{self.service} was moved to {self.target}: `{finish}` drops the old data, {back}"
        return f"{self.state}: `{self.goes_on(stack)}` resumes the move{'' if self.returning else f', {back}'}"


def read_move(stack: str, service: str) -> MoveJournal | None:
    """The journal as it is; None if nothing was begun.

    :raises Refused: the file cannot be read.
    """
    return _read(_of_move(stack, service), MoveJournal)


def moves(stack: str) -> Iterator[MoveJournal]:
    """The journals of all services.

    :raises Refused: a file cannot be read.
    """
    files = _place("split", stack).glob("*.json")
    return filter(None, (_read(file, MoveJournal) for file in sorted(files)))


def move_takes(stack: str, service: str, way: tuple[str | None, str | None], *, preview: bool) -> bool:
    """Whether an open move takes the service this way, and has reached the step at which a run does so.

    :raises Refused: the file cannot be read.
    """
    begun = read_move(stack, service)
    reached = Step.BEGUN if preview else Step.SWITCHED
    return begun is not None and begun.way == way and reached <= begun.step < Step.DONE


def has_move(stack: str, service: str) -> bool:
    """Whether a move of the service was begun and is not finished."""
    return _of_move(stack, service).exists()


def write_move(stack: str, journal: MoveJournal) -> None:
    """Writes the whole journal to disk before anything else is done."""
    _write(_of_move(stack, journal.service), journal)


def forget_move(stack: str, service: str) -> None:
    """Removes the journal of a finished move."""
    _of_move(stack, service).unlink(missing_ok=True)


def _of_move(stack: str, service: str) -> Path:
    return _place("split", stack) / f"{quote(service, safe='')}.json"


@dataclass(frozen=True, slots=True)
class RotationJournal:
    """The unfinished rotations of a stack."""

    begun: Mapping[str, int]
    """the unfinished logins, each with the counter that it is to reach"""
    asked: frozenset[str] = frozenset()
    """the logins that the last command was to rotate"""
    left: tuple[str, ...] = ()
    """those of them that are not done"""
    shut: frozenset[str] = frozenset()
    """the unfinished logins that were shut out by a password which the state does not know"""
    since: Mapping[str, str] = field(default_factory=dict)
    """when the rotation of each unfinished login was begun"""

    def remaining(self, names: Sequence[str]) -> list[str]:
        """The logins that such a command still has to rotate: all, unless an earlier run was stopped or killed."""
        goes_on = self.left and self.asked == set(names)
        return [name for name in names if name in self.left or not goes_on]


def read_rotations(stack: str) -> RotationJournal:
    """The journal as it is; empty if nothing was begun.

    :raises Refused: the file cannot be read.
    """
    return _read(_of_rotations(stack), RotationJournal) or RotationJournal({})


def plan_rotations(stack: str, names: Sequence[str], left: Sequence[str]) -> None:
    """Records which logins a command is to rotate, and which of them are not done."""
    _write_rotations(stack, replace(read_rotations(stack), asked=frozenset(names), left=tuple(left)))


def begin_rotation(stack: str, login: str, counter: int) -> None:
    """Records a login until `end_rotation`."""
    found = read_rotations(stack)
    _write_rotations(stack, replace(found, begun={**found.begun, login: counter}, since={login: now(), **found.since}))


def shut_login(stack: str, login: str) -> None:
    """Records that a login is about to be shut out."""
    found = read_rotations(stack)
    _write_rotations(stack, replace(found, shut=found.shut | {login}))


def end_rotation(stack: str, login: str) -> None:
    """Forgets a login."""
    found = read_rotations(stack)
    begun = {name: counter for name, counter in found.begun.items() if name != login}
    left = tuple(name for name in found.left if name != login)
    since = {name: when for name, when in found.since.items() if name != login}
    _write_rotations(stack, replace(found, begun=begun, left=left, shut=found.shut - {login}, since=since))


def _of_rotations(stack: str) -> Path:
    return _place("rotation", stack, ".json")


def _write_rotations(stack: str, journal: RotationJournal) -> None:
    if journal.begun or journal.left:
        _write(_of_rotations(stack), journal)
    else:
        _of_rotations(stack).unlink(missing_ok=True)
