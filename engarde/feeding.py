"""What a session is fed with that somebody else has written: a dump's scripts and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg

from engarde.database import Session
from engarde.errors import Unfinished
from engarde.visible import visible


def script(to: Session, what: str, text: str) -> None:
    """Runs a script; `what` says in an error which one.

    :raises Unfinished: the server does not run all of it.
    """
    with _said_by_server(what):
        to.run(text)


def rows(to: Session, what: str, statement: str, parts: Iterable[bytes]) -> None:
    """Loads rows in the text form of COPY.

    :raises Unfinished: the server does not take all of them.
    """
    with _said_by_server(what), to._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for part in parts:
            copy.write(part)


@contextmanager
def _said_by_server(what: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith("57P"):
            # No answer, or the last one: the session is lost.
            raise
        # What is detail and context may be somebody's data.
        raise Unfinished(f"{visible(what)}: {error.sqlstate}: {visible(error.diag.message_primary or '')}") from None
