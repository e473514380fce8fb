"""Whether a backup's definitions can be loaded, found out by loading them into the live database, and taken back."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engarde.backup import archive
from engarde.backup.archive import referenced
from engarde.backup.clients import Client
from engarde.backup.inspect import look_in, service_path
from engarde.backup.inventory import Inventory
from engarde.backup.manifest import DUMP
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PROOF
from engarde.errors import Refused, Unfinished, Unreachable
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.copy_in import NotRun, attempt
from engarde.server.credentials import Access, scram_verifier
from engarde.server.functions import refuse_event_triggers
from engarde.server.role_settings import drop_placeholder
from engarde.server.session import SEARCH_PATH, Session, session
from engarde.util.quoting import literal, quoted
from engarde.util.terminal import Say, visible

SESSIONS = 2
"""Of a login that is lent: the one that tries, and the one that asks whether that still gets an answer."""

LIMITS = ("SET LOCAL lock_timeout = '500ms'", "SET LOCAL statement_timeout = '10s'")
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


def proved(database: DatabaseStack, role: str, folder: Path, found: Inventory, client: Client, say: Say) -> Proof:
    """Loads the definitions of the backup in the folder in the database, with the rights of the service's role.

    Nothing of it stays, and nobody who uses the schema meanwhile sees any of it.
    """
    say("loading the definitions, to see whether that can be done")
    try:
        return tried(login_of_admin(database), role, folder, found, client)
    except (Refused, Unfinished, Unreachable) as error:
        return Proof(unproven=(str(error),))


def tried(admin: Access, role: str, folder: Path, found: Inventory, client: Client) -> Proof:
    """The same, by this login of the admin's, which only makes the login that loads.

    :raises Refused: it cannot be tried here, or the admin may not make that login.
    :raises Unfinished: pg_restore failed.
    :raises Unreachable: somebody was not let in, or a session was lost.
    """
    if inside := [extension.name for extension in found.extensions if extension.schema == found.schema]:
        raise Refused(f"extension {', '.join(map(visible, inside))} is in the schema itself, and can be only in one")
    with archive.opened(folder / DUMP, client) as dump:
        before, after = dump.definitions("pre-data"), dump.definitions("post-data")
    with lent(admin, role) as login, session(login, read_only=False, one_snapshot=False) as asked:
        # Whoever uses up the server's locks keeps everybody else from getting one.
        [locks] = asked.values("backup_lock_room")
        wanted = LOCKS * len(found.tables) + len(found.sequences) + len(found.things)
        if wanted * SHARE > locks:
            raise Refused(
                f"it would take about {wanted} of the {locks} locks that the server has room for, and services need"
                " some: raise max_locks_per_transaction"
            )
        refuse_event_triggers(asked, role, admin.role)
        # An empty schema in the place of the service's, for this transaction alone.
        aside = f"engarde_aside_{secrets.token_hex(8)}"
        begin(asked, aside)
        asked.execute(*LIMITS)
        asked.execute_or_refuse(f"ALTER SCHEMA {quoted(found.schema)} RENAME TO {quoted(aside)}")
        asked.execute_or_refuse(f"CREATE SCHEMA {quoted(found.schema)} AUTHORIZATION {quoted(role)}")
        asked.execute_or_refuse(f"SET LOCAL ROLE {quoted(role)}")
        look_in(asked, service_path(found.schema, found.extensions))
        return _loaded(asked, role, found, before, after)


@contextmanager
def lent(admin: Access, role: str) -> Iterator[Access]:
    """A new login to the admin's database, a member of the role, with a password that only this process knows.

    It has the role's rights for as long as something is tried, and may make schemas besides. It is gone with the block.
    Of one whose process was killed the password is void after an hour, and the next one takes it away.

    :raises Refused: the admin may not make one.
    :raises Unreachable: the admin was not let in.
    """
    name = f"{PROOF}{secrets.token_hex(8)}"
    for left in (there := _there(admin, PROOF)):
        if left["role"] and left["over"]:
            # Somebody may keep it there: of no use to anybody, and no reason to try nothing.
            with suppress(Refused, Unreachable):
                _drop(admin, left["role"], left["databases"])
    limits = f" CONNECTION LIMIT {SESSIONS} VALID UNTIL {literal(there[0]['until'])}"
    login = make_login(admin, name, role, "CREATE", limits)
    try:
        yield login
    finally:
        [made] = _there(admin, name)
        _drop(admin, name, made["databases"])


def make_login(admin: Access, name: str, role: str, privilege: str, limits: str = "") -> Access:
    """Makes a login with a password that only this process knows, a member of the role.

    :param privilege: on the admin's database.
    :param limits: of its CREATE ROLE.
    """
    password = secrets.token_hex(16)
    with session(admin, read_only=False) as asked:
        asked.execute_or_refuse(f"CREATE ROLE {quoted(name)} LOGIN{limits}")
        asked.set_verifier(name, scram_verifier(password))
        asked.execute_or_refuse(f"GRANT {quoted(role)} TO {quoted(name)}")
        asked.execute_or_refuse(f"GRANT {privilege} ON DATABASE {quoted(admin.database)} TO {quoted(name)}")
        asked.commit()
    return Access(admin.address, admin.database, name, password)


def _there(admin: Access, prefix: str) -> list[dict[str, Any]]:
    """The logins that were made for a proof and are still there; without any, one row that has no role."""
    with session(admin) as asked:
        return asked.query("backup_lent", dict, prefix=prefix)


def _drop(admin: Access, name: str, databases: list[str]) -> None:
    """Any service may have granted it something meanwhile, which would keep it there."""
    others = [replace(admin, database=database) for database in databases if database != admin.database]
    drop_placeholder([*others, admin], name)


def begin(asked: Session, schema: str) -> str:
    """Makes this the one transaction that loads into the schema; which it is.

    :raises Refused: another one is at it.
    """
    [begun] = asked.query("backup_restoring", dict, schema=schema)
    if begun["other"]:
        raise Refused(
            f"another `restore` is at work on schema {schema}, process {begun['other']} of the service's role;"
            " nothing was changed. Let it end"
        )
    return str(begun["transaction"])


def _loaded(asked: Session, role: str, found: Inventory, before: list[str], after: list[str]) -> Proof:
    alone = [statement for statement in after if _leads_out(statement)]
    rest = [statement for statement in after if not (_leads_out(statement) or statement.startswith(WORDS_ONLY))]
    failures, untried = list[NotRun](), list[str]()
    try:
        archive.run_definitions(asked, "definitions before the rows", before)
        archive.run_definitions(asked, "definitions after the rows", rest)
        asked.execute(BRIEF)
        end = time.monotonic() + PATIENCE
        for number, statement in enumerate(alone):
            if time.monotonic() > end:
                untried = [f"{len(alone) - number} foreign keys or views: the others took over {PATIENCE} s"]
                break
            failures += _failures(asked, statement)
    except NotRun as failure:
        failures.append(failure)
    late = [failure for failure in failures if failure.sqlstate.startswith(NOT_NOW)]
    faults = [failure for failure in failures if failure not in late]
    # What names the catalog's tables is asked where nobody else makes any.
    look_in(asked, SEARCH_PATH)
    told = ("\n  ".join([str(fault), *_lacking(asked, role, found, fault)]) for fault in faults)
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
    schemas = sorted({extension.schema for extension in found.extensions})
    for lacking in asked.query("backup_lacking", dict, referenced=referenced(failure.statement), schemas=schemas):
        heal = ": state `references: true` with that table under the service's `reads`, then `bin/pulumi up`"
        said = f"{visible(role)} lacks {lacking['right']} on {lacking['kind']} {visible(lacking['name'])}"
        yield said + (heal if lacking["right"] == "REFERENCES" else "")
