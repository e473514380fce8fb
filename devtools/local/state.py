"""What stack `local` has in the project, read without Pulumi: its files, its state, its server, its locks.

Files are whole whenever the process is killed, known as ours, and written by one run at a time.
"""

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engarde.errors import Refused
from engarde.util.files import read_text, write_whole
from engarde.util.processes import command_of, hold
from engarde.util.terminal import tell
from launcher.paths import PRIVATE, PROJECT, STATE

STACK_FILE = PROJECT / "Pulumi.local.yaml"
DERIVED = "Derived from Pulumi.prod.yaml by `make up`"
"""Begins a stack file of our making."""

OWNER_ONLY = 0o600


def is_derived() -> bool:
    """False for a stack file that somebody wrote without us."""
    return STACK_FILE.exists() and DERIVED in read_text(STACK_FILE).partition("\n")[0]


def write(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Puts the text in the file's place in one step."""
    PRIVATE.mkdir(exist_ok=True)
    draft = PRIVATE / "draft"
    draft.unlink(missing_ok=True)
    draft.touch(mode, exist_ok=False)
    write_whole(path, draft, text)


def remove(path: Path) -> bool:
    """Removes a file, or a folder with all that is in it; False when there is none."""
    if not os.path.lexists(path):
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return True


FILE = STATE / ".pulumi/stacks/engarde/local.json"
ROLE = "postgresql:index/role:Role"
ON_SERVER = "postgresql:"


def exists() -> bool:
    """Whether the stack has been initialised."""
    return FILE.exists()


def resources() -> list[dict[str, Any]]:
    """Every resource whose operation has finished."""
    return list(_latest().get("resources") or [])


def pending() -> list[dict[str, Any]]:
    """Every resource whose operation a killed run left unfinished."""
    return [operation["resource"] for operation in _latest().get("pending_operations") or []]


def holds_resources() -> bool:
    """Whether anything on the server is known to the state, or was about to be."""
    return any(resource["type"].startswith(ON_SERVER) for resource in resources() + pending())


def roles() -> set[str]:
    """The roles that the state knows."""
    return {resource["id"] for resource in resources() if resource["type"] == ROLE}


def pending_roles() -> set[str]:
    """The roles that a killed run was about to make or to change."""
    return {resource["inputs"]["name"] for resource in pending() if resource["type"] == ROLE}


def _latest() -> dict[str, Any]:
    if not FILE.exists():
        return {}
    return dict(json.loads(FILE.read_text())["checkpoint"].get("latest") or {})


RECORD = PRIVATE / "server.json"


@dataclass(frozen=True, slots=True)
class Admin:
    """An address and a login."""

    embedded: bool
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str | None = None
    """None for the one that the stack file names"""

    sslmode: str | None = None
    superuser: bool = True

    def __str__(self) -> str:
        """Which server it is; ours stays the same one on another port."""
        return "the embedded server" if self.embedded else f"{self.host}:{self.port}/{self.database}"


def remembered() -> Admin | None:
    """What the stack file was last written for."""
    return Admin(**json.loads(RECORD.read_text())) if RECORD.exists() else None


def remember(admin: Admin) -> None:
    write(RECORD, json.dumps(asdict(admin)))


LOCK = PRIVATE / "lock"
ENGINE_LOCKS = STATE / ".pulumi/locks/organization/engarde/local"
PATIENCE = 60.0
"""How long to wait for another Pulumi that works on the stack (seconds)."""


@contextmanager
def alone() -> Iterator[None]:
    """Waits until no other make target works in this project; the kernel releases the lock of a killed one."""
    with LOCK.open("w") as lock:
        hold(lock, "Waiting for another make target of this project")
        yield


def clear_stale_engine_locks() -> None:
    """Removes the locks of dead processes, and waits for a live one.

    :raises Refused: Pulumi still works on the stack, or may do so on another machine.
    """
    for lock in ENGINE_LOCKS.glob("*.json"):
        end = time.monotonic() + PATIENCE
        while holder := _holder(lock):
            if time.monotonic() > end:
                raise Refused(
                    f"stack local is in use by {holder}. Wait until it ends; if it never ends, run"
                    " `bin/pulumi cancel --stack local`"
                )
            time.sleep(0.2)
        if lock.exists():
            lock.unlink(missing_ok=True)
            tell("Removed the lock of a killed Pulumi")


def _holder(lock: Path) -> str | None:
    """The process that holds the lock; None if it has ended."""
    try:
        content = json.loads(lock.read_text())
    except (FileNotFoundError, ValueError):  # gone by now, or half-written
        return None
    if content["hostname"] != socket.gethostname():
        return f"process {content['pid']} on {content['hostname']}"
    # The process id alone may have been given to another program by now.
    return f"process {content['pid']}" if "pulumi" in command_of(content["pid"]) else None
