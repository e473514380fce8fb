"""Runs the statements of a dump's definitions, leaves out what the server does not know, and tells which one failed."""

from __future__ import annotations

from collections.abc import Iterable

from engarde.backup.statements import options, without
from engarde.server.copy_in import NotRun, attempt
from engarde.server.session import Session

KNOWN = frozenset({"n_distinct", "n_distinct_inherited"})
"""What every release from 13 on lets one say of a column."""

UNKNOWN_OPTION = "22023"


def run(asked: Session, what: str, statements: Iterable[str]) -> None:
    """Runs them in this order; `what` says in an error which ones they are.

    :raises NotRun: the server does not run one of them.
    """
    known, unknown = set(KNOWN), set[str]()
    waiting: list[str] = []
    for each in statements:
        named = options(each)
        for name in sorted(named - known - unknown):
            _together(asked, what, waiting)
            waiting = []
            (known if _takes(asked, without(each, named - {name})) else unknown).add(name)
        if left := without(each, unknown):
            waiting.append(left)
    _together(asked, what, waiting)


def _takes(asked: Session, statement: str) -> bool:
    """Whether the server knows the option that the statement sets; it is done then."""
    try:
        attempt(asked, "an option of a column", statement)
    except NotRun as refusal:
        if refusal.sqlstate == UNKNOWN_OPTION:
            return False
        raise
    return True


def _together(asked: Session, what: str, statements: list[str]) -> None:
    """One message for all, since a server may be far away; where one fails they are run one by one, to tell which."""
    if not statements:
        return
    try:
        attempt(asked, what, ";\n".join(statements))
    except NotRun:
        for each in statements:
            attempt(asked, what, each)
