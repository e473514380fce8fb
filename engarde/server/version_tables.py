"""Alembic's version tables: each is read by its owner's own login, or where nobody's code is run by reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.errors import NotAnswered, Unreachable
from engarde.server import own_logins
from engarde.server.catalog.further import VersionTable
from engarde.server.credentials import Access
from engarde.server.own_logins import NotRead
from engarde.server.session import Session

Logins = Callable[[], Mapping[str, Access]]
"""Role -> login, asked for only when one is needed."""

LOCKED = "55P03"


@dataclass(frozen=True, slots=True)
class _Revision:
    revision: str


def listed(stack: DatabaseStack, asked: Session) -> list[VersionTable]:
    """Those of the database, by the catalogs alone: nothing in them is read."""
    return asked.rows("version_tables", VersionTable, roles=[service.role for service in stack.services])


def read(stack: DatabaseStack, asked: Session, logins: Logins) -> tuple[VersionTable, ...]:
    """Those of the database, and what is in them."""
    found = listed(stack, asked)
    return tuple(of_owners(of_trusted(found, asked), logins))


def of_trusted(tables: Sequence[VersionTable], asked: Session) -> list[VersionTable]:
    """What the session reads by itself, and the rest as it was."""
    return [filled(each, asked) if each.trusted else each for each in tables]


def of_owners(tables: Iterable[VersionTable], logins: Logins) -> list[VersionTable]:
    """What was not read so far, by the logins of the owners."""
    tables = list(tables)
    missing = [each for each in tables if not each.trusted]
    try:
        known = logins() if missing else {}
    except Unreachable as error:
        return [each if each.trusted else replace(each, unread=str(error)) for each in tables]
    owners = {each.owner: known[each.owner] for each in missing if each.owner in known}
    answers = own_logins.ask(
        owners.values(), lambda asked, login: [filled(each, asked) for each in missing if each.owner == login.role]
    )
    return list(together(tables, answers))


def together(
    tables: Iterable[VersionTable], answers: Mapping[str, list[VersionTable] | NotRead]
) -> Iterator[VersionTable]:
    """The tables with what the logins of their owners have answered."""
    for each in tables:
        answer = answers.get(each.owner)
        if each.trusted:
            yield each
        elif answer is None:
            yield replace(each, unread=unknown(each.owner))
        elif isinstance(answer, NotRead):
            yield replace(each, unread=answer.reason)
        else:
            yield next(read for read in answer if read.identity == each.identity)


def filled(table: VersionTable, asked: Session) -> VersionTable:
    """The table with its revisions, as far as the session's role is answered."""
    try:
        found = asked.answered("version_table_revisions", _Revision, put={"schema": table.schema})
    except NotAnswered as refusal:
        return replace(table, unread="it is locked now" if str(refusal) == LOCKED else f"the server says {refusal}")
    return replace(table, revisions=tuple(sorted({each.revision for each in found})))


def unknown(owner: str) -> str:
    """Why what nobody but its owner may be asked for is not read."""
    return f"only its owner's login is asked for it, and {owner} is no service of this database whose password is known"
