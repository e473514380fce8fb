"""A schema's dump, and the inventory that belongs to it: both of one snapshot."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from engarde.backup import large_objects, taking
from engarde.backup.clients import Client
from engarde.backup.inventory import Inventory
from engarde.backup.rows import Dumping, Room, Snapshot
from engarde.errors import Refused, Unfinished
from engarde.server.connect import WATCHED
from engarde.server.credentials import Access
from engarde.server.session import NOTICING_OPTIONS, Session, session
from engarde.util.masking import masked
from engarde.util.timeouts import seconds

Say = Callable[[str], None]
DUMP = "dump"
"""The folder of pg_dump's files."""

DEFAULT_JOBS = 2
LOCKS = 60
"""How long a table may be held by somebody who changes it [seconds]."""
LAST = 5
"""How many lines of a failure are reported."""


def dump(access: Access, schema: str, folder: Path, client: Client, jobs: int | None, say: Say) -> Inventory:
    """Writes the schema into the folder, as its owner sees it, and tells what it holds.

    :raises Refused: something cannot be copied whole, or there are too few connections.
    :raises Unfinished: pg_dump failed.
    :raises Unreachable: the role was not let in, or the session was lost.
    """
    with session(access, "copy") as asked:
        refuse_pooler(access, asked)
        number = workers(asked, access.role, jobs)
        [snapshot] = asked.rows("backup_snapshot", Snapshot)
        found = taking.taken(asked, schema, say)
        _pg_dump(access, asked, found, snapshot.name, folder / DUMP, client, number, say)
        if found.large_objects:
            say(f"copying {len(found.large_objects)} large objects")
            large_objects.write(asked, found.large_objects, folder / large_objects.FILE)
        # They have no snapshot: only what was read after the rows is not behind them.
        return replace(found, sequences=tuple(taking.sequences(asked, schema)))


def refuse_pooler(access: Access, asked: Session) -> None:
    """A pooler gives no two sessions of one server.

    :raises Refused: there is one in between.
    """
    if asked.pooled:
        raise Refused(
            f"{access.address.host}:{access.address.port} is a pooler's address: a copy needs the server's own, for a"
            " snapshot that several sessions share"
        )


def workers(asked: Session, role: str, wanted: int | None) -> int:
    """How many tables are copied at a time, so that the role's connection limit is kept.

    :raises Refused: it leaves room for less than was asked for.
    """
    [room] = asked.rows("backup_room", Room)
    number = wanted or DEFAULT_JOBS
    if room.left is None or room.left >= _sessions(number):
        return number
    if room.left >= _sessions(1) and wanted is None:
        return 1
    raise Refused(
        f"{role} may have {max(room.left, 0)} more connections, and {number} jobs need {_sessions(number)}:"
        " stop the service meanwhile, or take fewer --jobs"
    )


def _sessions(jobs: int) -> int:
    # Several have a leader.
    return 1 if jobs == 1 else jobs + 1


def _pg_dump(
    access: Access,
    asked: Session,
    found: Inventory,
    snapshot: str,
    folder: Path,
    client: Client,
    jobs: int,
    say: Say,
) -> None:
    pattern = found.schema.replace('"', '""')
    command = [
        str(client.folder / "pg_dump"),
        "--format=directory",
        "--encoding=UTF8",
        # Whatever role its sessions start as.
        f"--role={access.role}",
        f"--jobs={jobs}",
        f'--schema="{pattern}"',
        "--strict-names",
        f"--snapshot={snapshot}",
        "--no-publications",
        "--no-subscriptions",
        f"--lock-wait-timeout={LOCKS}s",
        "--no-password",
        f"--dbname={WATCHED}",
        "--verbose",
        f"--file={folder}",
    ]
    with subprocess.Popen(
        command,
        env=access.environment(os.environ) | {"LC_ALL": "C", "PGAPPNAME": "engarde", **NOTICING_OPTIONS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            signs = Signs(asked, folder)
            with asked.waiting(signs.stalled, process.kill):
                last = _told(process, found.stored, say, signs)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise Unfinished(f"pg_dump ended with {process.returncode}:\n" + "\n".join(last))


@dataclass(slots=True)
class Signs:
    """What shows that pg_dump is at work: its words, its files, and its sessions."""

    asked: Session
    folder: Path
    size: int = 0
    heard: float = field(default_factory=time.monotonic)

    def stalled(self) -> str:
        """Why it does not go on, as a rule because its way to the server is cut; nothing where it may."""
        self.asked.do("stat_anew")
        [found] = self.asked.rows("backup_dumping", Dumping)
        size = sum(each.stat().st_size for each in self.folder.rglob("*"))
        if found.at_work or size != self.size:
            self.size, self.heard = size, time.monotonic()
        silent = time.monotonic() - self.heard
        if silent < seconds("dump.silence"):
            return ""
        return f"pg_dump was ended: for {silent:.0f} s it wrote nothing, and the server waits for it"


def _told(process: subprocess.Popen[bytes], total: int, say: Say, signs: Signs) -> deque[str]:
    """The last lines of what pg_dump says, once it has come to its end."""
    done, last = 0, deque[str](maxlen=LAST)
    assert process.stderr
    for said in process.stderr:
        signs.heard = time.monotonic()
        line = said.decode(errors="replace").removesuffix("\n")
        last.append(masked(line))
        if "dumping contents of table" in line:
            done += 1
            say(f"copying table {done} of {total}: {line.rpartition(' table ')[2]}")
    return last
