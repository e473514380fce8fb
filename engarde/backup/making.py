"""Makes the backup of one service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engarde.backup import manifest, taking
from engarde.backup.clients import client
from engarde.backup.dumping import dump, refuse_pooler, workers
from engarde.backup.folder import default, draft, refuse_existing
from engarde.backup.inventory import Edge, Inventory
from engarde.backup.manifest import Manifest
from engarde.backup.proving import NOTHING, Proof, proved
from engarde.declaration.databases import database_of, service_of
from engarde.declaration.model import Stack
from engarde.server.credentials import Access, access
from engarde.server.functions import refuse_citus
from engarde.server.session import session

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class How:
    """What the operator wants otherwise than by default."""

    jobs: int | None = None
    """tables at a time"""
    pg_bin: str | None = None
    """the folder of pg_dump and pg_restore"""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, or would be."""

    service: str
    folder: Path
    client: str
    """the version of its pg_dump"""
    seconds: float
    size: int = 0
    """of its files together [bytes]"""
    inventory: Inventory | None = None
    """none in a dry run"""
    proof: Proof = NOTHING
    """nothing in it where its definitions were loaded, or are about to be"""

    @property
    def left_out(self) -> tuple[Edge, ...]:
        """What belongs to the service's objects and is in no schema's dump, or another's."""
        return self.inventory.needed_by if self.inventory else ()


def backup(stack: Stack, name: str, to: Path | None, how: How, say: Say, login: Access | None = None) -> Made:
    """Copies the service's schema into a new folder that nobody but its owner can read, and tries to load it.

    :param login: another one of the service's role than with the state's password: of a move, which loads the copy
        itself where it is to be.
    :raises Refused: something cannot be copied whole, or there is no pg_dump that is right for the server.
    :raises Unfinished: it could not be written; nothing of it stays.
    :raises Unreachable: the service's role was not let in.
    """
    start, now = time.monotonic(), datetime.now(UTC)
    service = service_of(stack, name)
    folder = (to or default(stack.name, name, now)).absolute()
    refuse_existing(folder)
    proving, login = login is None, login or access(stack, name)
    with session(login) as asked:
        refuse_pooler(login, asked)
        refuse_citus(asked)
        programs = client(how.pg_bin, asked.major, encrypted=asked.encrypted)
        taking.refuse_absent(asked, service.schema_)
        workers(asked, login.role, how.jobs)
    if how.dry_run:
        return Made(name, folder, programs.version, time.monotonic() - start)
    with draft(folder) as partial:
        found = dump(login, service.schema_, partial, programs, how.jobs, say)
        say("checksums of the files")
        written = manifest.files(partial)
        made = now.isoformat(timespec="seconds")
        said = Manifest(manifest.VERSION, made, stack.name, name, programs.version, found.roles, found, written)
        manifest.write(partial, said)
    size = sum(each.size for each in written)
    proof = proved(database_of(stack, service), service.role, folder, found, programs, say) if proving else NOTHING
    return Made(name, folder, programs.version, time.monotonic() - start, size, found, proof)
