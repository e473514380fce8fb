"""What can go wrong, by what the operator does about it."""

import re
from enum import Enum

INTERNAL, INTERRUPTED = 70, 130
"""Exit codes of what is no `EngardeError`: a fault of the tool's own, and the operator's end."""


class EngardeError(Exception):
    """Says what is wrong, where, and what to do next; its text holds no secret."""

    exit_code = 2


class ConfigError(EngardeError):
    """The stack file has to be edited."""


class Unreachable(EngardeError):
    """Nothing was learnt: no connection, no engine, no outputs."""

    exit_code = 3


class Uncertain(Unreachable):
    """The session was lost while it committed: all of it is done, or nothing."""

    exit_code = 4

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"lost {where} before it said whether the change is made: look, or run the same command again: {reason}"
        )


class Why(Enum):
    """Why a login came to nothing, by what is said of it; of several the first counts."""

    PASSWORD = r"password.*authentication failed|authentication failed.*password|28P01"  # noqa: S105 - what is said of one
    ROLE_LIMIT = r"too many connections for role"
    DATABASE_LIMIT = r"too many connections for database"
    NO_SLOT = r"remaining connection slots"
    NO_CLIENT = r"too many clients"
    SHUT_OUT = r"permission denied for database|is not permitted to log in"
    NO_DATABASE = r'database ".*" does not exist'
    NO_TLS = r"server does not support SSL"
    NOT_FOUND = r"resolve|translate"
    NOT_ANSWERED = r"refused|timeout|timed out|no route"
    OTHER = r""

    @property
    def password_right(self) -> bool:
        """Whether it is only said to whose password was right: a live service may hold all that its role has."""
        return self in (Why.ROLE_LIMIT, Why.DATABASE_LIMIT, Why.NO_SLOT)

    @property
    def full(self) -> bool:
        """Whether there is no connection left for it: that says nothing of the role."""
        return self.password_right or self is Why.NO_CLIENT


class LoginRefused(Unreachable):
    """Nobody answered at the address, or the role was not let in."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot ask {where}, so nothing was changed there: {reason}")
        self.reason = reason

    @property
    def why(self) -> Why:
        return next(why for why in Why if re.search(why.value, self.reason, re.IGNORECASE))

    @property
    def said(self) -> str:
        """The reason without the address."""
        return self.reason.rpartition("failed: ")[2]


class NoRoomForLocks(Unreachable):
    """The server's lock table is full."""


class Unfinished(EngardeError):
    """A change was begun and is not finished, or it failed; the message says what is changed and what goes on."""

    exit_code = 4


class Refused(EngardeError):
    """It would destroy or overwrite, or the server does not do it; the message names what allows it."""

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class NotAnswered(EngardeError):
    """One question that the server refused, while the session goes on; its text is the SQLSTATE."""
