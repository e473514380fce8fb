"""What commands that may be killed write down of what they have begun: whole files, read as what they were written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from engarde.declaration.loader import FOLDER
from engarde.errors import Refused
from engarde.util.files import read_text, write_whole

PRIVATE = FOLDER / ".engarde"
"""Git-ignored: what is under way on this machine is nobody else's."""

Journal = TypeVar("Journal")


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
