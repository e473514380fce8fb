"""Logging in with the new password, and in vain with the old one."""

from dataclasses import dataclass

from engarde.declaration.databases import managing
from engarde.declaration.model import DatabaseStack, Stack
from engarde.errors import LoginRefused, Unfinished, Unreachable, Why
from engarde.server.credentials import Access
from engarde.server.session import session


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What came of one login."""

    let_in: bool
    asked_for_password: bool
    said: str = ""


def attempt_login(database: DatabaseStack, role: str, password: str) -> LoginAttempt:
    """Logs in to the database at the operator's address, and out again.

    :raises Unreachable: nobody answers there, or says neither yes nor no.
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
    """The new password is in force, and the old one is not; a warning where a login proves nothing.

    On every server that has the role.

    :raises Unfinished: it is not so, or could not be found out.
    """
    warnings = [_prove(database, role, new, old) for database in managing(stack, role)]
    return next(filter(None, warnings), None)


def _prove(database: DatabaseStack, role: str, new: str, old: str | None) -> str | None:
    try:
        entered = attempt_login(database, role, new)
        left = attempt_login(database, role, old) if old and old != new else None
    except Unreachable as lost:
        raise Unfinished(f"whether {role} logs in with its new password could not be found out: {lost}") from None
    if not entered.let_in:
        raise Unfinished(f"{role} is not let in with the state's password: {entered.said}")
    if not entered.asked_for_password or (left and left.let_in):
        # A role has one password: who is let in with two is not asked for any.
        return f"the server lets {role} in on trust, without asking for a password: a login proves nothing there"
    return None
