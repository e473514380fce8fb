"""What can go wrong, by what the operator does about it."""

import re
from enum import Enum

INTERNAL, INTERRUPTED = 70, 130
"""Exit codes of an internal error, and of an interrupt."""


class EngardeError(Exception):
    """Says what is wrong, where, and what to do next; its text holds no secret."""

    exit_code = 2


class ConfigError(EngardeError):
    """The stack file has to be edited."""


class Unreachable(EngardeError):
    """Nothing could be read: no connection, no Pulumi, no outputs."""

    exit_code = 3


class Uncertain(Unreachable):
    """The session was lost during COMMIT: the change was made completely, or not at all."""

    exit_code = 4

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"lost the connection to {where} during COMMIT: {reason.rstrip('.')}. All of the change was made, or"
            " nothing: look, or run the same command again"
        )


class Why(Enum):
    """Why a login failed, by its message; if several match, the first one counts."""

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
        """Whether the server only says this if the password was right: a running service may use all connections."""
        return self in (Why.ROLE_LIMIT, Why.DATABASE_LIMIT, Why.NO_SLOT)

    @property
    def full(self) -> bool:
        """Whether no connection was free, which says nothing about the role."""
        return self.password_right or self is Why.NO_CLIENT


class LoginRefused(Unreachable):
    """No answer from the address, or the login was refused."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot connect to {where}: {reason.rstrip('.')}. Nothing was changed there.")
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
    """A change was begun and is not finished, or it failed; the message says what was changed and how to resume."""

    exit_code = 4


class Refused(EngardeError):
    """It would destroy or overwrite something, or the server refuses it; the message says what allows it."""

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class NotAnswered(EngardeError):
    """One query that the server refused; the session goes on. Its text is the SQLSTATE."""
