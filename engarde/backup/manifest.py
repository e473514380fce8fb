"""A backup's folder, which is written completely or not at all, and its manifest."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from engarde.backup.inventory import Inventory
from engarde.declaration.loader import FOLDER
from engarde.declaration.stack_names import short_name
from engarde.errors import Refused, Unfinished
from engarde.util.files import read_text
from engarde.util.terminal import begin_change, indented

BACKUPS = FOLDER / "backups"
"""Git-ignored: it holds the services' data."""

NAME, DUMP, LARGE_OBJECTS = "manifest.json", "dump", "large_objects.tar"
"""Everything in a backup's folder: its manifest, the folder of pg_dump's files, and the large objects."""

PARTIAL = ".partial"
"""The suffix of a folder that is not a complete backup."""

VERSION = 1
LARGEST = 200_000_000
"""The largest manifest; a table takes about a thousand bytes [bytes]."""


@dataclass(frozen=True, slots=True)
class File:
    path: str
    """in its folder, with slashes"""
    size: int
    """bytes"""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    version: int
    made: str
    """in UTC, in the form of ISO 8601"""
    stack: str
    service: str
    client: str
    """the version of its pg_dump"""
    roles: tuple[str, ...]
    """the roles that own something or have a privilege in the schema"""
    inventory: Inventory
    files: tuple[File, ...]


def files(folder: Path) -> tuple[File, ...]:
    """Every file in a folder, except the manifest itself."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return tuple(File(name, path.stat().st_size, _sha256(path)) for name, path in sorted(paths.items()) if name != NAME)


def write(folder: Path, manifest: Manifest) -> None:
    content = asdict(manifest)
    whole = {"sha256": _digest(content), "manifest": content}
    (folder / NAME).write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")


def whole(folder: Path) -> Manifest:
    """The manifest of a backup, after every file was checked against it.

    :raises Refused: there is no backup, or it is incomplete or damaged.
    """
    if folder.name.endswith(PARTIAL):
        raise Refused(f"{folder} is the rest of a backup that did not finish, so it cannot be restored")
    found = _read(folder)
    there = {file.path: file for file in files(folder)}
    wanted = {file.path: file for file in found.files}
    faults = [f"{path}: missing" for path in sorted(wanted.keys() - there.keys())]
    faults += [f"{path}: not part of the backup" for path in sorted(there.keys() - wanted.keys())]
    for path in sorted(there.keys() & wanted.keys()):
        if there[path].size != wanted[path].size:
            faults.append(f"{path}: {there[path].size} bytes instead of {wanted[path].size}")
        elif there[path].sha256 != wanted[path].sha256:
            faults.append(f"{path}: its content has changed (sha256)")
    if faults:
        raise Refused(f"{folder} is damaged. Nothing was changed. Damaged files:\n{indented(faults)}")
    return found


def _read(folder: Path) -> Manifest:
    file = folder / NAME
    try:
        found: dict[str, Any] = json.loads(read_text(file, LARGEST))
        content = found["manifest"]
        if content["version"] != VERSION:
            raise Refused(
                f"{file}: its format is version {content['version']!r}, but this release only reads {VERSION}"
            )
        if found["sha256"] != _digest(content):
            raise Refused(f"{file} is damaged: it was changed after it was written")
        return TypeAdapter(Manifest).validate_json(json.dumps(content), strict=True)
    except FileNotFoundError:
        raise Refused(f"{folder} is not a backup: it has no {NAME}") from None
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise Refused(f"{file} is damaged: it is cut off, or is not a manifest") from None


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def default(stack: str, service: str, now: datetime) -> Path:
    """The folder of a backup that is made now."""
    return named(BACKUPS / short_name(stack), service) / now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def named(folder: Path, service: str) -> Path:
    """The service's folder in this one; every name gives a valid folder name."""
    name = quote(service, safe=" ")
    return folder / (name.replace(".", "%2E") if set(name) == {"."} else name)


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """The folder to write into, which gets its name when all of it is on the disk; only its owner may read it.

    :raises Refused: the folder exists already, or another process is writing it.
    :raises Unfinished: it could not be written.
    """
    before = os.umask(0o077)
    try:
        refuse_existing(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f"*{PARTIAL}"):
            _remove_if_dead(left)
        begin_change()
        partial = folder.with_name(folder.name + PARTIAL)
        partial.mkdir()
        with _held(partial):
            try:
                yield partial
                for path in (*partial.rglob("*"), partial):
                    _sync(path)
                partial.rename(folder)
                _sync(folder.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except FileExistsError:
        raise Refused(
            f"{folder}{PARTIAL} exists already: another `backup` is writing it, or it is not a backup. Choose another"
            " folder, or wait"
        ) from None
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        raise Unfinished(f"cannot write{what}: {error.strerror}. Nothing of this backup was kept") from None
    finally:
        os.umask(before)


def refuse_existing(folder: Path) -> None:
    """Refuses to overwrite anything.

    :raises Refused: something with this name exists.
    """
    if folder.exists() or folder.is_symlink():
        raise Refused(f"{folder} exists already, and a backup overwrites nothing. Choose a new folder")


def _remove_if_dead(partial: Path) -> None:
    """Removes the rest of a killed backup, whose lock the kernel has released; keeps a folder with other files."""
    with suppress(OSError), _held(partial):
        if {path.name for path in partial.iterdir()} <= {NAME, DUMP, LARGE_OBJECTS}:
            shutil.rmtree(partial)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
