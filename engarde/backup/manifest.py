"""What a backup says of itself: what it holds, which files it is in, and where it is from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engarde.backup.inventory import Inventory
from engarde.errors import Refused
from engarde.util.files import read_text

NAME = "manifest.json"
VERSION = 1
PARTIAL = ".partial"
"""Of a folder that is not a whole backup."""


LARGEST = 200_000_000
"""Of a manifest: about a thousand bytes for each table [bytes]."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup."""

    path: str
    """in its folder, with slashes"""
    size: int
    """bytes"""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup."""

    version: int
    made: str
    """in UTC, as ISO 8601 has it"""
    stack: str
    service: str
    client: str
    """the version of its pg_dump"""
    roles: tuple[str, ...]
    """that own something or may do something in the schema"""
    inventory: Inventory
    files: tuple[File, ...]


def files(folder: Path) -> tuple[File, ...]:
    """All that is in a folder, but for the manifest itself."""
    found = [each for each in folder.rglob("*") if each.is_file() and each != folder / NAME]
    return tuple(
        sorted(
            (File(each.relative_to(folder).as_posix(), each.stat().st_size, _sha256(each)) for each in found),
            key=lambda each: each.path,
        )
    )


def write(folder: Path, manifest: Manifest) -> None:
    """Writes it into its backup's folder."""
    content = asdict(manifest)
    whole = {"sha256": _digest(content), "manifest": content}
    (folder / NAME).write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")


def whole(folder: Path) -> Manifest:
    """The manifest of a backup every file of which is as it was written.

    :raises Refused: there is no backup, or it is incomplete or damaged.
    """
    if folder.name.endswith(PARTIAL):
        raise Refused(f"{folder} is what a backup that did not come to its end has left; it cannot be restored")
    found = _read(folder)
    there = {each.path: each for each in files(folder)}
    wanted = {each.path: each for each in found.files}
    faults = [f"{path}: missing" for path in sorted(wanted.keys() - there.keys())]
    faults += [f"{path}: no part of the backup" for path in sorted(there.keys() - wanted.keys())]
    for path in sorted(there.keys() & wanted.keys()):
        if there[path].size != wanted[path].size:
            faults.append(f"{path}: {there[path].size} bytes instead of {wanted[path].size}")
        elif there[path].sha256 != wanted[path].sha256:
            faults.append(f"{path}: its content has changed (sha256)")
    if faults:
        raise Refused(f"{folder} is damaged; nothing was changed:\n" + "\n".join(f"  {each}" for each in faults))
    return found


def _read(folder: Path) -> Manifest:
    file = folder / NAME
    try:
        found: dict[str, Any] = json.loads(read_text(file, LARGEST))
        content = found["manifest"]
        if content["version"] != VERSION:
            raise Refused(f"{file}: its form is {content['version']!r}, and only {VERSION} is known here")
        if found["sha256"] != _digest(content):
            raise Refused(f"{file} is damaged: it was changed after it was written")
        return TypeAdapter(Manifest).validate_json(json.dumps(content), strict=True)
    except FileNotFoundError:
        raise Refused(f"{folder} is no backup: there is no {NAME} in it") from None
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, ValidationError):
        raise Refused(f"{file} is damaged: it is cut off, or no manifest") from None


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
