"""Tests whether a backup's definitions can be loaded: loads them into the live database, and rolls back."""

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
"""The connection limit of the temporary login: one session loads, and one checks that the server still answers."""

LIMITS = ("SET LOCAL lock_timeout = '500ms'", "SET LOCAL statement_timeout = '10s'")
"""How long others wait behind our wait for a lock, and how long one statement may take."""
BRIEF = "SET LOCAL statement_timeout = '1s'"
"""The limit of a statement that blocks writes to other tables."""

TRIES, PAUSE = 4, 0.25
"""How often a lock is tried, and the time between [seconds]."""

PATIENCE = 60
"""The limit for all of these statements together [seconds]."""

SHARE = 2
"""The test may take one part in this many of the server's locks."""
LOCKS = 5
"""How many locks a table takes: for itself, its row type, its TOAST table, the index of that and its key."""

NOT_NOW = ("40", "53", "55P03", "57014")
"""Beginnings of SQLSTATEs that prove nothing about a statement: a deadlock, no resources, a lock, a limit."""
DENIED = "42501"

REFRESHES = "REFRESH MATERIALIZED VIEW "
WORDS_ONLY = "COMMENT ON "
"""Comments may be on objects that were rolled back, and fail for no other reason."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of loading a backup's definitions."""

    faults: tuple[str, ...] = ()
    """the statements that fail and why; because of them, a restore would fail"""
    unproven: tuple[str, ...] = ()
    """the parts that could not be tested, and why"""


NOTHING = Proof()
"""The result if nothing was tested, or everything could be loaded."""


def proved(database: DatabaseStack, role: str, folder: Path, found: Inventory, client: Client, say: Say) -> Proof:
    """Loads the backup's definitions into the database with the privileges of the service's role, and rolls back.

    Other sessions that use the schema meanwhile see nothing of it.
    """
    say("testing whether the definitions can be loaded")
    try:
        return tried(login_of_admin(database), role, folder, found, client)
    except (Refused, Unfinished, Unreachable) as error:
        return Proof(unproven=(str(error),))


def tried(admin: Access, role: str, folder: Path, found: Inventory, client: Client) -> Proof:
    """The same through this admin's login, which only makes the login that loads.

    :raises Refused: it cannot be tested here, or the admin may not create that login.
    :raises Unfinished: pg_restore failed.
    :raises Unreachable: a login failed, or a session was lost.
    """
    if inside := [extension.name for extension in found.extensions if extension.schema == found.schema]:
        raise Refused(f"extension {', '.join(map(visible, inside))} is in this schema, and can be in one schema only")
    with archive.opened(folder / DUMP, client) as dump:
        before, after = dump.definitions("pre-data"), dump.definitions("post-data")
    with lent(admin, role) as login, session(login, read_only=False, one_snapshot=False) as asked:
        # If the server runs out of locks, statements of all sessions fail.
        [locks] = asked.values("backup_lock_room")
        wanted = LOCKS * len(found.tables) + len(found.sequences) + len(found.things)
        if wanted * SHARE > locks:
            raise Refused(
                f"it would take about {wanted} of the {locks} locks that the server has room for, but services need"
                " some of them. Raise max_locks_per_transaction"
            )
        refuse_event_triggers(asked, role, admin.role)
        # An empty schema replaces the service's, in this transaction only.
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

    It has the role's privileges, may create schemas, and is dropped at the end of the block. If the process is killed,
    its password expires after an hour, and the next call drops it.

    :raises Refused: the admin may not create it.
    :raises Unreachable: the admin could not log in.
    """
    name = f"{PROOF}{secrets.token_hex(8)}"
    for left in (there := _there(admin, PROOF)):
        if left["role"] and left["over"]:
            # A grant of somebody may keep it: it is useless by now, and no reason to stop.
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

    :param privilege: what it gets on the admin's database.
    :param limits: options for its CREATE ROLE.
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
    """The logins that were made for a test and still exist; if there are none, one row without a role."""
    with session(admin) as asked:
        return asked.query("backup_lent", dict, prefix=prefix)


def _drop(admin: Access, name: str, databases: list[str]) -> None:
    """Drops the login and all grants to it, which any service may have made meanwhile."""
    others = [replace(admin, database=database) for database in databases if database != admin.database]
    drop_placeholder([*others, admin], name)


def begin(asked: Session, schema: str) -> str:
    """Makes this the only transaction that loads into the schema, and returns its id.

    :raises Refused: another one is loading.
    """
    [begun] = asked.query("backup_restoring", dict, schema=schema)
    if begun["other"]:
        raise Refused(
            f"another `restore` is running on schema {schema} (process {begun['other']} of the service's role). Nothing"
            " was changed. Wait until it ends, then run the command again"
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
                untried = [f"{len(alone) - number} foreign keys or views: the others took more than {PATIENCE} s"]
                break
            failures += _failures(asked, statement)
    except NotRun as failure:
        failures.append(failure)
    late = [failure for failure in failures if failure.sqlstate.startswith(NOT_NOW)]
    faults = [failure for failure in failures if failure not in late]
    # Queries on catalogs need a path on which nobody else can create tables.
    look_in(asked, SEARCH_PATH)
    told = ("\n  ".join([str(fault), *_lacking(asked, role, found, fault)]) for fault in faults)
    return Proof(tuple(told), (*map(str, late), *untried))


def _leads_out(statement: str) -> bool:
    """Whether it needs more of a table outside the schema than its definition."""
    return statement.startswith(REFRESHES) or referenced(statement) is not None


def _failures(asked: Session, statement: str) -> Iterator[NotRun]:
    """The failure, if any, of a statement that blocks others, so it is rolled back at once."""
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
    """The privileges that the role lacks for a statement, as far as they are known."""
    if failure.sqlstate != DENIED:
        return
    schemas = sorted({extension.schema for extension in found.extensions})
    for lacking in asked.query("backup_lacking", dict, referenced=referenced(failure.statement), schemas=schemas):
        heal = ": set `references: true` for that table in the service's `reads`, then run `bin/pulumi up`"
        said = f"{visible(role)} lacks {lacking['right']} on {lacking['kind']} {visible(lacking['name'])}"
        yield said + (heal if lacking["right"] == "REFERENCES" else "")
