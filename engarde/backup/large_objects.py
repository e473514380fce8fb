"""Large objects are in no schema: those of the service's role, in a file beside the dump and back from it."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

from engarde.backup.inventory import LargeObject
from engarde.backup.rows import Done, Part
from engarde.server import copy_in
from engarde.server.session import Session
from engarde.util.quoting import literal

FILE = "large_objects.tar"
PART = 1 << 20
"""At a time [bytes]."""


class _Content(RawIOBase):
    """A large object as a file that can be read once."""

    def __init__(self, asked: Session, number: int) -> None:
        self._asked, self._number, self._at = asked, number, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = {"number": self._number, "at": self._at, "size": len(buffer)}
        [part] = self._asked.rows("backup_large_object_part", Part, **wanted)
        length = len(part.content)
        buffer[:length] = part.content
        self._at += length
        return length


def write(asked: Session, found: Sequence[LargeObject], file: Path) -> None:
    """Writes those that the session sees, each under its number."""
    with tarfile.open(file, "w") as archive:
        for each in found:
            member = tarfile.TarInfo(str(each.number))
            member.size, member.mode = each.length, 0o600
            archive.addfile(member, BufferedReader(_Content(asked, each.number), PART))


def load(asked: Session, file: Path, wanted: Sequence[LargeObject]) -> None:
    """Makes them again under their numbers, in the session's transaction and as its role."""
    with tarfile.open(file) as archive:
        for each in wanted:
            content = archive.extractfile(str(each.number))
            assert content is not None
            _put(asked, each.number, -1, b"")
            at = 0
            while part := content.read(PART):
                _put(asked, each.number, at, part)
                at += len(part)
    comments = [f"COMMENT ON LARGE OBJECT {each.number} IS {literal(each.comment)}" for each in wanted if each.comment]
    copy_in.script(asked, "comments on large objects", ";\n".join(comments))


def unlink(asked: Session) -> None:
    """Removes all that the session's role has, in its transaction."""
    asked.rows("backup_unlink", Done)


def _put(asked: Session, number: int, at: int, content: bytes) -> None:
    asked.rows("backup_put_large_object", Done, number=number, at=at, content=content)
