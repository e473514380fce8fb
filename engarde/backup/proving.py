"""Whether a backup's definitions can be loaded, found out by loading them into the live database, and taken back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engarde.backup import archive, definitions
from engarde.backup.clients import Client
from engarde.backup.dumping import DUMP
from engarde.backup.inventory import Inventory
from engarde.backup.lent import lent
from engarde.backup.loading import begin
from engarde.backup.rows import Lacking, LockRoom
from engarde.backup.statements import referenced
from engarde.backup.taking import path, service_path
from engarde.declaration.model import DatabaseStack
from engarde.errors import Refused, Unfinished, Unreachable
from engarde.server.copy_in import NotRun, attempt
from engarde.server.credentials import Access, login_of_admin
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import SEARCH_PATH, Session, session
from engarde.util.quoting import quoted
from engarde.util.visible import visible

Say = Callable[[str], None]

LIMITS = "SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = '10s'"
"""So long whoever wants a table that is waited for waits behind it, and so long one statement goes on."""
BRIEF = "SET LOCAL statement_timeout = '1s'"
"""The same of one that keeps others from writing to their table meanwhile."""

TRIES, PAUSE = 4, 0.25
"""How often a lock is asked for, and the time between [seconds]."""

PATIENCE = 60
"""For all of those together [seconds]."""

SHARE = 2
"""One part in so many of all the locks that the server has room for may be taken."""
LOCKS = 5
"""That a table takes: with its row type's, its long values', their index's and its key's."""

NOT_NOW = ("40", "53", "55P03", "57014")
"""How the SQLSTATEs begin that say nothing of the statement: a deadlock, no room, a lock, a limit."""
DENIED = "42501"

REFRESHES = "REFRESH MATERIALIZED VIEW "
WORDS_ONLY = "COMMENT ON "
"""They hang on what was taken back, and fail of nothing else."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of loading a backup's definitions."""

    faults: tuple[str, ...] = ()
    """what the server does not load and why, which is why nothing could be restored"""
    unproven: tuple[str, ...] = ()
    """what could not be tried, and why not"""


NOTHING = Proof()
"""Of what was not tried, or could all be loaded."""


def proved(part: DatabaseStack, role: str, folder: Path, found: Inventory, client: Client, say: Say) -> Proof:
    """Loads the definitions of the backup in the folder in the database, with the rights of the service's role.

    Nothing of it stays, and nobody who uses the schema meanwhile sees any of it.
    """
    say("loading the definitions, to see whether that can be done")
    try:
        return tried(login_of_admin(part), role, folder, found, client)
    except (Refused, Unfinished, Unreachable) as error:
        return Proof(unproven=(str(error),))


def tried(admin: Access, role: str, folder: Path, found: Inventory, client: Client) -> Proof:
    """The same, by this login of the admin's, which only makes the login that loads.

    :raises Refused: it cannot be tried here, or the admin may not make that login.
    :raises Unfinished: pg_restore failed.
    :raises Unreachable: somebody was not let in, or a session was lost.
    """
    if inside := [each.name for each in found.extensions if each.schema == found.schema]:
        raise Refused(f"extension {', '.join(map(visible, inside))} is in the schema itself, and can be only in one")
    with archive.opened(folder / DUMP, client) as dump:
        before, after = dump.definitions("pre-data"), dump.definitions("post-data")
    with lent(admin, role) as login, session(login, read_only=False, one_snapshot=False) as asked:
        _refuse_crowd(asked, found)
        refuse_event_triggers(asked, role, admin.role)
        _make_room(asked, role, found.schema)
        path(asked, service_path(found.schema, found.extensions))
        return _loaded(asked, role, found, before, after)


def _refuse_crowd(asked: Session, found: Inventory) -> None:
    """Whoever uses up the server's locks keeps everybody else from getting one."""
    [room] = asked.rows("backup_lock_room", LockRoom)
    wanted = LOCKS * len(found.tables) + len(found.sequences) + len(found.things)
    if wanted * SHARE > room.locks:
        raise Refused(
            f"it would take about {wanted} of the {room.locks} locks that the server has room for, and services need"
            " some: raise max_locks_per_transaction"
        )


def _make_room(asked: Session, role: str, schema: str) -> None:
    """Puts an empty schema in the place of the service's for this transaction alone, and goes on as the service."""
    aside = f"engarde_aside_{secrets.token_hex(8)}"
    begin(asked, aside)
    asked.run(LIMITS)
    asked.change(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(aside)}")
    asked.change(f"CREATE SCHEMA {quoted(schema)} AUTHORIZATION {quoted(role)}")
    asked.change(f"SET LOCAL ROLE {quoted(role)}")


def _loaded(asked: Session, role: str, found: Inventory, before: list[str], after: list[str]) -> Proof:
    alone = [each for each in after if _leads_out(each)]
    rest = [each for each in after if not (_leads_out(each) or each.startswith(WORDS_ONLY))]
    failures, untried = list[NotRun](), list[str]()
    try:
        definitions.run(asked, "definitions before the rows", before)
        definitions.run(asked, "definitions after the rows", rest)
        asked.run(BRIEF)
        end = time.monotonic() + PATIENCE
        for number, each in enumerate(alone):
            if time.monotonic() > end:
                untried = [f"{len(alone) - number} foreign keys or views: the others took over {PATIENCE} s"]
                break
            failures += _failures(asked, each)
    except NotRun as failure:
        failures.append(failure)
    late = [each for each in failures if each.sqlstate.startswith(NOT_NOW)]
    faults = [each for each in failures if each not in late]
    # What names the catalog's tables is asked where nobody else makes any.
    path(asked, SEARCH_PATH)
    told = ("\n  ".join([str(each), *_lacking(asked, role, found, each)]) for each in faults)
    return Proof(tuple(told), (*map(str, late), *untried))


def _leads_out(statement: str) -> bool:
    """Whether it takes more of a table outside of the schema than a look at how that is made."""
    return statement.startswith(REFRESHES) or referenced(statement) is not None


def _failures(asked: Session, statement: str) -> Iterator[NotRun]:
    """How a statement fails, if it does, that holds up others and is taken back at once."""
    for left in reversed(range(TRIES)):
        try:
            attempt(asked, "definitions after the rows", statement, keep=False)
        except NotRun as failure:
            if not left or not failure.sqlstate.startswith(NOT_NOW):
                yield failure
                return
            time.sleep(PAUSE)
        else:
            break


def _lacking(asked: Session, role: str, found: Inventory, failure: NotRun) -> Iterator[str]:
    """The rights that the role does not have for a statement, as far as they are known."""
    if failure.sqlstate != DENIED:
        return
    schemas = sorted({each.schema for each in found.extensions})
    for each in asked.rows("backup_lacking", Lacking, referenced=referenced(failure.statement), schemas=schemas):
        heal = (
            ": state `references: true` with that table under the service's `reads`, then `bin/pulumi up`"
            if each.right == "REFERENCES"
            else ""
        )
        yield f"{visible(role)} lacks {each.right} on {each.kind} {visible(each.name)}{heal}"
