"""Who comes in where: a service's password, its sessions, and its CONNECT."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import CONNECT, TEMPORARY
from engarde.errors import NoEntrance, Refused, Unfinished, Why
from engarde.server.credentials import Access, login_of_admin
from engarde.server.scram import verifier
from engarde.server.session import Session, session
from engarde.split.rows import Count, Door, Name
from engarde.util.quoting import quoted

PATIENCE = 60
"""How long sessions are given to end [seconds]."""
PAUSE = 0.4
"""Between two looks at them [seconds]: one that was just let in is not seen at once."""
LOOKS = 3
"""In how many of them one after another there has to be none."""

UNDER_CHANGE = ("55P03", "XX000")
"""What a server says of a role that somebody else is about to change, or just has: not now, updated concurrently."""


def temporary_password() -> str:
    """One that only this process knows."""
    return secrets.token_hex(16)


@contextmanager
def acting(asked: Session, role: str) -> Iterator[None]:
    """The admin's session as the role's, for as long as the block lasts."""
    member = role in {each.name for each in asked.rows("may_act_as", Name)}
    if not member:
        asked.change(f"GRANT {quoted(role)} TO CURRENT_USER")
    asked.change(f"SET LOCAL ROLE {quoted(role)}")
    yield
    asked.change("SET LOCAL ROLE NONE")
    if not member:
        asked.change(f"REVOKE {quoted(role)} FROM CURRENT_USER")


def door(database: DatabaseStack, role: str) -> Door | None:
    """How the role stands to the database; none where the server has no such role."""
    with session(login_of_admin(database)) as asked:
        found = asked.rows("split_door", Door, role=role)
    return found[0] if found else None


def shut_out(database: DatabaseStack, role: str, password: str) -> None:
    """Puts a password in force that nobody outside knows, and ends the role's sessions on the database's server.

    Again and again, until nobody undoes it: a session of the role's own may hold up the one by an open transaction, or
    give it another password before it is ended.

    :raises Unfinished: a session does not end, or somebody else changes the role.
    """
    stored = verifier(password, secrets.token_bytes(16))
    end, looks = time.monotonic() + PATIENCE, 0
    while looks < LOOKS:
        if time.monotonic() > end:
            raise Unfinished(f"sessions of {role} do not end, or somebody else changes it; pg_stat_activity shows them")
        looks = 0 if _shut_out(database, role, stored) else looks + 1
        time.sleep(PAUSE)


def _shut_out(database: DatabaseStack, role: str, stored: str) -> bool:
    """Whether there was anybody."""
    try:
        with session(login_of_admin(database), read_only=False) as asked:
            found = sessions(asked, role, None)
            if found:
                with acting(asked, role):
                    asked.rows("split_end", Count, role=role, database=None)
            asked.set_verifier(role, stored)
            asked.commit()
            return bool(found)
    except Refused as refusal:
        if any(state in str(refusal) for state in UNDER_CHANGE):
            return True
        raise


def put_verifier(database: DatabaseStack, role: str, stored: str) -> None:
    """Puts the password of a verifier in force on the database's server."""
    with session(login_of_admin(database), read_only=False) as asked:
        asked.set_verifier(role, stored)
        asked.commit()


def let_in(database: DatabaseStack, role: str) -> None:
    """Lets the role enter the database."""
    _change(database, f"GRANT {CONNECT}, {TEMPORARY} ON DATABASE {quoted(database.server.database)} TO {quoted(role)}")


def keep_out(database: DatabaseStack, role: str) -> None:
    """Lets the role enter the database no more, and ends the sessions that it has there.

    :raises Unfinished: it could still come in, or a session does not end.
    """
    _change(
        database, f"REVOKE {CONNECT}, {TEMPORARY} ON DATABASE {quoted(database.server.database)} FROM {quoted(role)}"
    )
    found = door(database, role)
    if found and found.enters:
        raise Unfinished(
            f"{role} may still connect to database {database.server.database}, by a membership or by what PUBLIC has"
        )
    end_sessions(database, role, database.server.database)


def _change(database: DatabaseStack, statement: str) -> None:
    with session(login_of_admin(database), read_only=False) as asked:
        asked.change(statement)
        asked.commit()


def end_sessions(database: DatabaseStack, role: str, name: str) -> None:
    """Ends the role's sessions in a database, and sees them gone.

    :raises Unfinished: one does not end, or another comes again and again.
    """
    end, looks = time.monotonic() + PATIENCE, 0
    while looks < LOOKS:
        if time.monotonic() > end:
            raise Unfinished(f"sessions of {role} do not end; pg_stat_activity shows them")
        looks = 0 if _ended(database, role, name) else looks + 1
        time.sleep(PAUSE)


def _ended(database: DatabaseStack, role: str, name: str) -> bool:
    """Whether there were any."""
    with session(login_of_admin(database), read_only=False) as asked:
        if not sessions(asked, role, name):
            return False
        with acting(asked, role):
            asked.rows("split_end", Count, role=role, database=database)
        asked.commit()
    return True


def sessions(asked: Session, role: str, database: str | None) -> int:
    """How many the role has in a database, or on the whole server."""
    [found] = asked.rows("split_sessions", Count, role=role, database=database)
    return found.count


def refused(login: Access) -> bool:
    """Whether somebody with the right password is not let in.

    :raises NoEntrance: nobody answers, or says something else.
    """
    try:
        with session(login):
            return False
    except NoEntrance as refusal:
        if refusal.why is Why.SHUT_OUT:
            return True
        raise
