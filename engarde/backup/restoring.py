"""Brings a backup back into its service's schema."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engarde.backup import manifest, taking
from engarde.backup.clients import client, major
from engarde.backup.dumping import refuse_pooler
from engarde.backup.inventory import Grant
from engarde.backup.loading import begin, clear, load
from engarde.backup.making import How
from engarde.backup.manifest import Manifest
from engarde.backup.proving import NOTHING, Proof, proved
from engarde.backup.refusing import Held, held, refuse_other
from engarde.backup.rows import Transaction
from engarde.declaration.databases import database_of, service_of
from engarde.declaration.model import DatabaseStack, Service, Stack
from engarde.declaration.privileges import On, expected
from engarde.errors import Uncertain, Unfinished, Unreachable
from engarde.server import copy_in, functions
from engarde.server.credentials import Access, access
from engarde.server.functions import refuse_citus, refuse_event_triggers
from engarde.server.session import Session, session
from engarde.util.quoting import quoted
from engarde.util.terminal import begin_change

Say = Callable[[str], None]
PATIENCE = 10
"""How long a server that has lost a session is given to notice [seconds]."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was restored, or would be."""

    service: str
    folder: Path
    manifest: Manifest
    replaced: Held
    not_granted: tuple[Grant, ...]
    """rights of the backup's day that the stack does not declare"""
    seconds: float
    proof: Proof = NOTHING
    """of a dry run: what came of loading its definitions"""


def restore(
    stack: Stack, name: str, folder: Path, how: How, say: Say, *, replace: bool, login: Access | None = None
) -> Restored:
    """Loads the backup in the place of what the schema holds: all of it, or nothing is changed.

    :param login: another one of the service's role than with the state's password.
    :raises Refused: the backup is damaged, does not fit, or would replace data.
    :raises Unfinished: it could not be loaded; what was there is there as it was.
    :raises Unreachable: the service's role was not let in, or the session was lost.
    """
    start = time.monotonic()
    service = service_of(stack, name)
    say("checking the backup's files")
    found = manifest.whole(folder)
    refuse_other(service, found)
    login = login or access(stack, name)
    try:
        with session(login, "copy", read_only=False, one_snapshot=False) as asked:
            refuse_pooler(login, asked)
            refuse_citus(asked)
            programs = client(how.pg_bin, asked.major, major(found.client))
            refuse_event_triggers(asked, login.role, database_of(stack, service).server.user)
            before = held(asked, service, found, replace=replace)
            if how.dry_run:
                proof = proved(database_of(stack, service), service.role, folder, found.inventory, programs, say)
                return Restored(name, folder, found, before, (), time.monotonic() - start, proof)
            transaction = begin(asked, service.schema_)
            # Nothing stays of it before its end; but that may be hours away.
            begin_change()
            say("dropping what is there")
            clear(asked, before.owned)
            load(asked, service.schema_, folder, found.inventory, programs, say)
            copy_in.script(asked, "grants", ";\n".join(_declared(database_of(stack, service), service, asked)))
            now = set(taking.grants(asked, service.schema_, service.role))
            lost = tuple(each for each in found.inventory.grants if each not in now)
            say("committing")
            asked.commit()
    except Unfinished as error:
        advice = "\nSomebody works in it: stop the service meanwhile" if "55P03" in str(error) else ""
        raise Unfinished(f"{error}{advice}\nNothing was changed: what was there before is there as it was") from None
    except Uncertain as error:
        if not _committed(login, transaction):
            raise Unreachable(f"lost {login.where} before the end, so nothing was changed there") from None
        say(f"the session was lost after its end: {error}")
    return Restored(name, folder, found, before, lost, time.monotonic() - start)


def _declared(database: DatabaseStack, service: Service, asked: Session) -> Iterator[str]:
    """What other services may read and call of it; analytics gets its own by default privileges."""
    there = asked.tables([service.schema_])
    for each in sorted(expected(database), key=str):
        if each.on in (On.TABLE, On.COLUMNS) and each.table and (each.schema, each.table) in there:
            columns = f" ({', '.join(map(quoted, each.columns))})" if each.columns else ""
            rights = ", ".join(f"{right}{columns}" for right in each.rights)
            yield f"GRANT {rights} ON {quoted(service.schema_, each.table)} TO {quoted(each.grantee)}"
    for caller in database.services:
        for function in functions.find(asked, caller.executes).values():
            if function.schema == service.schema_:
                yield f"GRANT EXECUTE ON ROUTINE {function.identity} TO {quoted(caller.role)}"


def _committed(login: Access, transaction: str) -> bool:
    """Whether a transaction whose end was not heard of has come to it.

    :raises Unfinished: nobody knows.
    """
    end = time.monotonic() + PATIENCE
    state = None
    while time.monotonic() < end:
        try:
            with session(login) as asked:
                [found] = asked.rows("backup_committed", Transaction, transaction=transaction)
            if (state := found.state) in ("committed", "aborted"):
                return state == "committed"
        except Unreachable:
            pass
        time.sleep(0.5)
    raise Unfinished(
        "the session was lost at its very end, and the server does not say whether the backup is in: look at the data"
        " before you run this again; it is either the backup's, or as it was before"
    )
