"""Loads scripts and rows of a dump, which were written elsewhere."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg

from engarde.errors import Unfinished
from engarde.server.session import Session
from engarde.util.masking import masked
from engarde.util.quoting import printable
from engarde.util.terminal import visible

SHOWN = 400
"""Of a statement [characters]."""

ROUTINES = ("CREATE FUNCTION", "CREATE PROCEDURE")


def run(to: Session, what: str, *statements: str) -> None:
    """Runs statements of the tool in one round trip; an error begins with `what`.

    :raises Unfinished: the server does not run all of them.
    """
    with _said_by_server(what):
        to.execute(*statements)


class NotRun(Unfinished):
    def __init__(self, what: str, statement: str, sqlstate: str, said: str) -> None:
        super().__init__(f"{what}: {sqlstate}: {visible(masked(said))}\n  {shown(statement)}")
        self.statement, self.sqlstate = statement, sqlstate


def shown(statement: str) -> str:
    """The beginning of the statement; of a function, without its body."""
    start = statement.partition("\n")[0] if statement.startswith(ROUTINES) else statement
    return masked(printable(start if len(start) <= SHOWN else f"{start[:SHOWN]} ..."))


def attempt(to: Session, what: str, statement: str, *, keep: bool = True) -> None:
    """Runs it in one message, and takes it back where it fails or is not to be kept; `what` is said in an error.

    :raises NotRun: it fails.
    """
    try:
        to.execute_given(f"SAVEPOINT tried;\n{statement};\n{'RELEASE' if keep else 'ROLLBACK TO'} tried")
    except psycopg.Error as error:
        if _lost(error):
            raise
        to.execute_given("ROLLBACK TO tried")
        raise NotRun(what, statement, error.sqlstate or "", error.diag.message_primary or "") from None


def rows(to: Session, what: str, statement: str, parts: Iterable[bytes]) -> None:
    """Loads rows in the text form of COPY.

    :raises Unfinished: the server does not take all of them.
    """
    with _said_by_server(what):
        to.copy_in(statement, parts)


@contextmanager
def _said_by_server(what: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if _lost(error):
            raise
        # What is detail and context may be somebody's data.
        raise Unfinished(f"{visible(what)}: {error.sqlstate}: {visible(error.diag.message_primary or '')}") from None


def _lost(error: psycopg.Error) -> bool:
    """Whether there was no answer, or the last one."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
