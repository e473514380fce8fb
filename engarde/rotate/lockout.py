"""Locks roles out of a server or a database, lets them back, and tries logins."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from engarde.declaration.databases import managing
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.privileges import CONNECT, TEMPORARY
from engarde.declaration.resource_names import login_name, on_server
from engarde.errors import LoginRefused, Refused, Unfinished, Unreachable, Why
from engarde.pulumi_cli.logins import login_of_admin
from engarde.rotate.delivery import Login
from engarde.server.credentials import Access, scram_verifier
from engarde.server.session import Session, session
from engarde.util.quoting import quoted

PATIENCE = 60
"""How long sessions have to end [seconds]."""
PAUSE = 0.4
"""Between two looks at them [seconds]: a session that has just begun is not visible at once."""
LOOKS = 3
"""How many looks one after another must find no session."""

UNDER_CHANGE = ("55P03", "XX000")
"""A lock time-out and a concurrent update: somebody else is changing the role, or just has."""


@dataclass(frozen=True, slots=True)
class LoginStatus:
    """Whether a role can reach a database."""

    can_login: bool
    """to the server"""
    can_connect: bool
    """it has CONNECT, from any source"""


@contextmanager
def changing(database: DatabaseStack) -> Iterator[Session]:
    """The admin's session in a database; it commits at the end of the block, or changes nothing."""
    with session(login_of_admin(database), read_only=False) as asked:
        yield asked
        asked.commit()


@contextmanager
def acting(asked: Session, role: str) -> Iterator[None]:
    """Makes the admin's session act as the role, for as long as the block lasts."""
    member = role in asked.values("may_act_as")
    if not member:
        asked.execute_or_refuse(f"GRANT {quoted(role)} TO CURRENT_USER")
    asked.execute_or_refuse(f"SET LOCAL ROLE {quoted(role)}")
    yield
    asked.execute_or_refuse("SET LOCAL ROLE NONE")
    if not member:
        asked.execute_or_refuse(f"REVOKE {quoted(role)} FROM CURRENT_USER")


def temporary_password() -> str:
    """A password that only this process knows."""
    return secrets.token_hex(16)


def login_status(database: DatabaseStack, role: str) -> LoginStatus | None:
    """Whether the role can reach the database; None if the server has no such role."""
    with session(login_of_admin(database)) as asked:
        return next(iter(asked.query("split_login_status", LoginStatus, role=role)), None)


def shut_out(database: DatabaseStack, role: str, password: str) -> None:
    """Sets a password that only this tool knows, and ends the role's sessions on the database's server.

    It does so again until nothing undoes it: a session of the role may block the change by an open transaction, or set
    another password before it is ended.

    :raises Unfinished: a session does not end, or somebody else changes the role.
    """
    stored = scram_verifier(password)
    why = f"sessions of {role} do not end, or somebody else keeps changing the role"
    _until_none(lambda: _shut_out(database, role, stored), why)


def _shut_out(database: DatabaseStack, role: str, stored: str) -> bool:
    """Whether there was a session."""
    try:
        with changing(database) as asked:
            found = _end_sessions(asked, role, None)
            asked.set_verifier(role, stored)
        return found
    except Refused as refusal:
        if not any(state in str(refusal) for state in UNDER_CHANGE):
            raise
        return True


def put_verifier(database: DatabaseStack, login: Login, stored: Mapping[str, str]) -> None:
    """Sets a login's password on the database's server.

    :param stored: the state's verifiers, by the names of the roles' resources.
    """
    with changing(database) as asked:
        asked.set_verifier(login.role, stored[on_server(f"{login_name(login)}-role", database)])


def let_in(database: DatabaseStack, role: str) -> None:
    with changing(database) as asked:
        asked.execute_or_refuse(
            f"GRANT {CONNECT}, {TEMPORARY} ON DATABASE {quoted(database.server.database)} TO {quoted(role)}"
        )


def keep_out(database: DatabaseStack, role: str) -> None:
    """Revokes the role's CONNECT on the database, and ends its sessions there.

    :raises Unfinished: it can still connect, or a session does not end.
    """
    name = database.server.database
    with changing(database) as asked:
        asked.execute_or_refuse(f"REVOKE {CONNECT}, {TEMPORARY} ON DATABASE {quoted(name)} FROM {quoted(role)}")
    found = login_status(database, role)
    if found and found.can_connect:
        raise Unfinished(f"{role} can still connect to database {name}, through a membership or a grant to PUBLIC")

    def looked() -> bool:
        with session(login_of_admin(database), read_only=False) as asked:
            found = _end_sessions(asked, role, name)
            if found:
                asked.commit()
            return found

    _until_none(looked, f"sessions of {role} do not end")


def _until_none(looked: Callable[[], bool], why: str) -> None:
    """Looks again until there is no session.

    :param looked: ends the sessions, and returns whether there were any.
    :raises Unfinished: a session does not end, or new ones keep coming.
    """
    end, looks = time.monotonic() + PATIENCE, 0
    while looks < LOOKS:
        if time.monotonic() > end:
            raise Unfinished(f"{why}; see pg_stat_activity")
        looks = 0 if looked() else looks + 1
        time.sleep(PAUSE)


def _end_sessions(asked: Session, role: str, database: str | None) -> bool:
    """Whether there were any."""
    if not sessions(asked, role, database):
        return False
    with acting(asked, role):
        asked.execute_file("split_end", role=role, database=database)
    return True


def sessions(asked: Session, role: str, database: str | None) -> int:
    """How many sessions the role has in a database, or on the whole server."""
    [count] = asked.values("split_sessions", role=role, database=database)
    return int(count)


def refused(login: Access) -> bool:
    """Whether the server refuses this login although its password is right.

    :raises LoginRefused: no answer, or refused for another reason.
    """
    try:
        with session(login):
            return False
    except LoginRefused as refusal:
        if refusal.why is Why.SHUT_OUT:
            return True
        raise


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    let_in: bool
    asked_for_password: bool
    said: str = ""


def attempt_login(database: DatabaseStack, role: str, password: str) -> LoginAttempt:
    """Logs in to the database at the operator's address, and out again.

    :raises Unreachable: no answer, or one that does not tell whether the password is right.
    """
    try:
        with session(Access(database.server, database.server.database, role, password)) as entered:
            return LoginAttempt(True, entered.asked_for_password)
    except LoginRefused as refusal:
        if refusal.why.password_right:
            return LoginAttempt(True, True, refusal.said)
        if refusal.why is Why.PASSWORD:
            return LoginAttempt(False, True, refusal.said)
        raise


def prove(stack: Stack, role: str, new: str, old: str | None = None) -> str | None:
    """Proves on every server that has the role that the new password works and the old one does not.

    :returns: a warning if logging in proves nothing.
    :raises Unfinished: it is not so, or could not be checked.
    """
    warning = None
    for database in managing(stack, role):
        try:
            entered = attempt_login(database, role, new)
            left = attempt_login(database, role, old) if old and old != new else None
        except Unreachable as lost:
            raise Unfinished(f"could not check whether {role} can log in with its new password: {lost}") from None
        if not entered.let_in:
            raise Unfinished(f"{role} cannot log in with the state's password: {entered.said}")
        if not entered.asked_for_password or (left and left.let_in):
            # A role has one password: if two work, the server asks for none.
            warning = (
                f"the server does not ask {role} for a password (`trust`), so logging in does not prove the new one"
            )
    return warning
