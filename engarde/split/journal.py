"""What was begun: written before each step and after it, so that a killed split is gone on with or undone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engarde.checks.under_way import PRIVATE
from engarde.errors import Refused
from engarde.util.files import read_text, write_whole


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
class Journal:
    """One service's move, until the data that it left is dropped."""

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


def read(stack: str, service: str) -> Journal | None:
    """The journal as it is; none where nothing was begun.

    :raises Refused: the file cannot be read.
    """
    return _read(_file(stack, service))


def every(stack: str) -> list[Journal]:
    """The journals of all services.

    :raises Refused: a file cannot be read.
    """
    return [found for file in sorted(folder(stack).glob("*.json")) if (found := _read(file))]


def _read(file: Path) -> Journal | None:
    try:
        found: dict[str, Any] = json.loads(read_text(file))
        return Journal(**{**found, "step": Step(found["step"]), "carried": tuple(found["carried"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        raise Refused(f"{file} cannot be read, so that it is not known what was begun; mend it or remove it") from None


def names(stack: str, service: str, way: tuple[str | None, str | None], *, preview: bool) -> bool:
    """Whether an open move takes the service from the one database to the other, and has come to a run that does so.

    :raises Refused: the file cannot be read.
    """
    begun = read(stack, service) if known(stack, service) else None
    return (
        begun is not None and begun.way == way and (preview or begun.step >= Step.SWITCHED) and begun.step < Step.DONE
    )


def known(stack: str, service: str) -> bool:
    """Whether a move of the service was begun and has left anything to do; whoever only looks makes no folder."""
    return (_folder(stack) / _name(service)).exists()


def write(stack: str, journal: Journal) -> None:
    """Keeps it on the disk, whole, before anything else is done."""
    file = _file(stack, journal.service)
    write_whole(file, file.with_suffix(".draft"), json.dumps(asdict(journal)))


def forget(stack: str, service: str) -> None:
    """Nothing of it is left to do."""
    _file(stack, service).unlink(missing_ok=True)


def folder(stack: str) -> Path:
    """Where the splits of a stack keep what they need; git-ignored."""
    made = _folder(stack)
    made.mkdir(parents=True, exist_ok=True)
    return made


def _folder(stack: str) -> Path:
    return PRIVATE / f"split.{stack}"


def _file(stack: str, service: str) -> Path:
    return folder(stack) / _name(service)


def _name(service: str) -> str:
    return f"{quote(service, safe='')}.json"
