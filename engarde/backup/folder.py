"""Where backups are, and how one comes into being: whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from engarde.backup.dumping import DUMP
from engarde.backup.large_objects import FILE
from engarde.backup.manifest import NAME, PARTIAL
from engarde.errors import Refused, Unfinished
from engarde.pulumi_cli.process import FOLDER
from engarde.util.terminal import begin_change

BACKUPS = FOLDER / "backups"
"""Git-ignored: it holds the services' data."""

PARTS = frozenset({DUMP, FILE, NAME})
"""All that a backup's folder holds."""


def default(stack: str, service: str, now: datetime) -> Path:
    """The folder of a backup that was made now."""
    return BACKUPS / stack / _as_folder(service) / now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def _as_folder(service: str) -> str:
    name = quote(service, safe=" ")
    return name.replace(".", "%2E") if set(name) == {"."} else name


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Gives the folder to write into, which gets its name when all of it is on the disk; only its owner may read it.

    :raises Refused: the folder is there already, or another process is writing it.
    :raises Unfinished: it could not be written.
    """
    before = os.umask(0o077)
    try:
        refuse_existing(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        for each in folder.parent.glob(f"*{PARTIAL}"):
            _remove_if_dead(each)
        begin_change()
        partial = folder.with_name(folder.name + PARTIAL)
        partial.mkdir()
        with _held(partial):
            try:
                yield partial
                _sync(partial)
                partial.rename(folder)
                _sync_one(folder.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except FileExistsError:
        raise Refused(f"{folder}{PARTIAL} is there: another `backup` writes it, or it is none of ours") from None
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        raise Unfinished(f"cannot write{what}: {error.strerror}; nothing stays of this backup") from None
    finally:
        os.umask(before)


def refuse_existing(folder: Path) -> None:
    """Nothing is written over.

    :raises Refused: something of that name is there.
    """
    if folder.exists() or folder.is_symlink():
        raise Refused(f"{folder} is there already; a backup is never written over another: name a new folder")


def _remove_if_dead(partial: Path) -> None:
    """The kernel lets go of a killed process's lock; what holds anything else is none of ours."""
    with suppress(OSError), _held(partial):
        if {each.name for each in partial.iterdir()} <= PARTS:
            shutil.rmtree(partial)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _sync(folder: Path) -> None:
    for each in folder.rglob("*"):
        _sync_one(each)
    _sync_one(folder)


def _sync_one(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
