"""Makes the backup of one service: its schema's dump and the inventory of it, from one snapshot."""

import os
import subprocess
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engarde.backup import archive, manifest
from engarde.backup.clients import Client, client, running
from engarde.backup.inspect import inspect, owner_of, sequences
from engarde.backup.inventory import Inventory
from engarde.backup.manifest import DUMP, LARGE_OBJECTS, Manifest
from engarde.backup.proof import NOTHING, Proof, proved
from engarde.backup.report import Backups, Made
from engarde.declaration.databases import database_of, service_of
from engarde.declaration.model import Stack
from engarde.declaration.names import ANALYTICS
from engarde.errors import EngardeError, Refused, Unfinished
from engarde.pulumi_cli.logins import access
from engarde.server.connect import WATCHED
from engarde.server.credentials import Access
from engarde.server.functions import refuse_citus
from engarde.server.session import NOTICING_OPTIONS, Session, session
from engarde.util.masking import masked
from engarde.util.terminal import Say
from engarde.util.timeouts import seconds

DEFAULT_JOBS = 2
LOCKS = 60
"""How long pg_dump waits for a table that is being changed [seconds]."""
LAST = 5
"""How many last lines of a failure are shown."""


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's options."""

    jobs: int | None = None
    """tables at a time"""
    pg_bin: str | None = None
    """the folder of pg_dump and pg_restore"""
    dry_run: bool = False


def backup(stack: Stack, name: str, to: Path | None, options: Options, say: Say, login: Access | None = None) -> Made:
    """Copies a service's schema into a new folder that only its owner can read, and tests its definitions.

    An existing schema, which the stack does not manage, is only copied, as analytics reads it.

    :param login: a login of the service's role with another password than the state's: a move gives it, and loads the
        copy itself.
    :raises Refused: something cannot be copied completely, or no pg_dump fits the server.
    :raises Unfinished: the backup could not be written; nothing of it was kept.
    :raises Unreachable: the service's role could not log in.
    """
    start, now = time.monotonic(), datetime.now(UTC)
    reader = _reader(stack, name) if name in of_others(stack) else None
    schema = name if reader else service_of(stack, name).schema_
    folder = (to or manifest.default(stack.name, name, now)).absolute()
    manifest.refuse_existing(folder)
    proving, login = login is None, login or access(stack, ANALYTICS if reader else name)
    with session(login) as asked:
        refuse_pooler(login, asked)
        refuse_citus(asked)
        programs = client(options.pg_bin, asked.major, encrypted=asked.encrypted)
        owner_of(asked, schema)
        _workers(asked, login.role, options.jobs)
    if options.dry_run:
        return Made(name, folder, programs.version, time.monotonic() - start)
    with manifest.draft(folder) as partial:
        found = dump(login, schema, partial, programs, options.jobs, say, reader)
        say("computing checksums of the files")
        written = manifest.files(partial)
        made = now.isoformat(timespec="seconds")
        said = Manifest(manifest.VERSION, made, stack.name, name, programs.version, found.roles, found, written)
        manifest.write(partial, said)
    size = sum(file.size for file in written)
    if reader:
        proof = Proof(unproven=(f"the stack does not manage schema {schema}; use pg_restore (docs/backup.md)",))
    elif proving:
        service = service_of(stack, name)
        proof = proved(database_of(stack, service), service.role, folder, found, programs, say)
    else:
        proof = NOTHING
    return Made(name, folder, programs.version, time.monotonic() - start, size, found, proof)


def every(stack: Stack, to: Path | None, options: Options, say: Say) -> Backups:
    """A backup of each service and of each existing schema; one that fails does not stop the others.

    :param to: the folder in which each backup gets a new folder with its name.
    """
    made: list[Made] = []
    failed: dict[str, EngardeError] = {}
    for name in (*(service.name for service in stack.services), *of_others(stack)):
        try:
            made.append(backup(stack, name, to and manifest.named(to, name), options, say))
        except EngardeError as fault:
            failed[name] = fault
            say(f"{name}: {fault}")
    return Backups(made, failed)


def of_others(stack: Stack) -> list[str]:
    """The existing schemas, except one with the name of a service."""
    services = {service.name for service in stack.services}
    return [schema.name for schema in stack.existing_schemas if schema.name not in services]


def _reader(stack: Stack, schema: str) -> str:
    """The role that reads an existing schema.

    :raises Refused: no role whose password is known may read it.
    """
    if stack.analytics is None or schema not in stack.analytics_schemas:
        raise Refused(
            f"no role whose password the stack knows may read schema {schema}. Nothing was copied. Let analytics read"
            " it (engarde:analytics), and run `bin/pulumi up`"
        )
    return stack.analytics.role


def dump(
    access: Access,
    schema: str,
    folder: Path,
    client: Client,
    jobs: int | None,
    say: Say,
    reader: str | None = None,
) -> Inventory:
    """Writes the schema into the folder, as its owner or the reader sees it, and returns its inventory.

    :raises Refused: something cannot be copied completely, or there are too few connections.
    :raises Unfinished: pg_dump failed.
    :raises Unreachable: the role could not log in, or the session was lost.
    """
    with session(access, "copy") as asked:
        refuse_pooler(access, asked)
        workers = _workers(asked, access.role, jobs)
        [snapshot] = asked.values("backup_snapshot")
        found = inspect(asked, schema, say, reader)
        _pg_dump(access, asked, found, snapshot, folder / DUMP, client, workers, say)
        if found.large_objects:
            say(f"copying {len(found.large_objects)} large objects")
            archive.write_large_objects(asked, found.large_objects, folder / LARGE_OBJECTS)
        # Sequences have no snapshot: only if they are read after the rows are they not behind them.
        return replace(found, sequences=tuple(sequences(asked, schema)))


def refuse_pooler(access: Access, asked: Session) -> None:
    """Refuses a pooler, which does not hand out several sessions of one server.

    :raises Refused: the session goes through one.
    """
    if asked.pooled:
        raise Refused(
            f"{access.where} is a pooler's address. Nothing was changed. Use the server's own address, because several"
            " sessions have to share a snapshot"
        )


def _workers(asked: Session, role: str, wanted: int | None) -> int:
    """How many tables to copy at a time within the role's connection limit.

    :raises Refused: the limit has too little room for the number asked for.
    """
    [room] = asked.values("backup_room")
    jobs = wanted or DEFAULT_JOBS
    # Several jobs have a leader.
    sessions = 1 if jobs == 1 else jobs + 1
    if room is None or room >= sessions:
        return jobs
    if room >= 1 and wanted is None:
        return 1
    raise Refused(
        f"{role} has {max(room, 0)} connections left of its connection limit, but {jobs} jobs need {sessions}. Nothing"
        " was copied. Stop the service, or use fewer --jobs"
    )


def _pg_dump(
    access: Access, asked: Session, found: Inventory, snapshot: str, folder: Path, client: Client, jobs: int, say: Say
) -> None:
    pattern = found.schema.replace('"', '""')
    command = [
        str(client.folder / "pg_dump"),
        "--format=directory",
        "--encoding=UTF8",
        # A setting may have its sessions start as another role.
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
    environment = access.environment(os.environ) | {"PGAPPNAME": "engarde", **NOTICING_OPTIONS}
    done, size, heard, last = 0, 0, time.monotonic(), deque[str](maxlen=LAST)

    def stalled() -> str:
        """Why it is stuck, usually because its connection is cut; empty if it is not.

        It is not stuck as long as it prints or writes anything, or the server is not waiting for it.
        """
        nonlocal size, heard
        asked.execute_file("stat_anew")
        [at_work] = asked.values("backup_dumping")
        written = sum(path.stat().st_size for path in folder.rglob("*"))
        if at_work or written != size:
            size, heard = written, time.monotonic()
        silent = time.monotonic() - heard
        if silent < seconds("dump.silence"):
            return ""
        return f"pg_dump was stopped: it wrote nothing for {silent:.0f} s while the server waited for it"

    with (
        running(command, environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process,
        asked.waiting(stalled, process.kill),
    ):
        assert process.stderr
        for said in process.stderr:
            heard = time.monotonic()
            line = said.decode(errors="replace").removesuffix("\n")
            last.append(masked(line))
            if "dumping contents of table" in line:
                done += 1
                say(f"copying table {done} of {found.stored}: {line.rpartition(' table ')[2]}")
    if process.returncode:
        raise Unfinished(f"pg_dump failed with exit code {process.returncode}:\n" + "\n".join(last))
