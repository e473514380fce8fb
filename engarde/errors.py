"""What can go wrong, by what the operator does about it."""

from __future__ import annotations

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


class NoEntrance(Unreachable):
    """Nobody answered at the address, or the role was not let in."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot ask {where}, so nothing was changed there: {reason}")
        self.reason = reason


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
