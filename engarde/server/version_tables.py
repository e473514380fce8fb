"""Alembic's version tables: each is read by its owner's own login, or where nobody's code is run by reading it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from engarde.declaration.model import DatabaseStack
from engarde.errors import NotAnswered, Unreachable
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import LOCKED, Session, session

AT_ONCE = 4
"""Logins at a time: most of a login is waiting, and a live server has no slots to spare."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class NotRead:
    reason: str


def ask_logins(logins: Iterable[Access], question: Callable[[Session, Access], Answer]) -> dict[str, Answer | NotRead]:
    """Role -> what it finds, each in a session of its own that can only read."""

    def one(login: Access) -> Answer | NotRead:
        try:
            with session(login) as asked:
                asked.execute_file("own_begin")
                return question(asked, login)
        except NotAnswered as refusal:
            return NotRead(f"the server answers {login.role} with {refusal}")
        except Unreachable as error:
            return NotRead(f"{login.role} was not let in: {error}")

    chosen = {login.role: login for login in logins}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(chosen, pool.map(one, chosen.values()), strict=True))


Logins = Callable[[], Mapping[str, Access]]
"""Role -> login, asked for only when one is needed."""


@dataclass(frozen=True, slots=True)
class _Revision:
    revision: str


def listed(stack: DatabaseStack, asked: Session) -> list[VersionTable]:
    """Those of the database, by the catalogs alone: nothing in them is read."""
    return asked.query("version_tables", VersionTable, roles=[service.role for service in stack.services])


def read(stack: DatabaseStack, asked: Session, logins: Logins) -> tuple[VersionTable, ...]:
    """Those of the database, and what is in them."""
    tables = of_trusted(listed(stack, asked), asked)
    missing = [table for table in tables if not table.trusted]
    try:
        known = logins() if missing else {}
    except Unreachable as error:
        return tuple(table if table.trusted else replace(table, unread=str(error)) for table in tables)
    owners = {table.owner: known[table.owner] for table in missing if table.owner in known}
    answers = ask_logins(
        owners.values(), lambda asked, login: [filled(table, asked) for table in missing if table.owner == login.role]
    )
    return tuple(together(tables, answers))


def of_trusted(tables: Iterable[VersionTable], asked: Session) -> list[VersionTable]:
    """What the session reads by itself, and the rest as it was."""
    return [filled(table, asked) if table.trusted else table for table in tables]


def together(
    tables: Iterable[VersionTable], answers: Mapping[str, list[VersionTable] | NotRead]
) -> Iterator[VersionTable]:
    """The tables with what the logins of their owners have answered."""
    for table in tables:
        answer = answers.get(table.owner)
        if table.trusted:
            yield table
        elif answer is None:
            yield replace(table, unread=unknown(table.owner))
        elif isinstance(answer, NotRead):
            yield replace(table, unread=answer.reason)
        else:
            yield next(read for read in answer if read.identity == table.identity)


def filled(table: VersionTable, asked: Session) -> VersionTable:
    try:
        found = asked.try_query("version_table_revisions", _Revision, put={"schema": table.schema})
    except NotAnswered as refusal:
        return replace(table, unread="it is locked now" if str(refusal) == LOCKED else f"the server says {refusal}")
    return replace(table, revisions=tuple(sorted({row.revision for row in found})))


def unknown(owner: str) -> str:
    """Why what nobody but its owner may be asked for is not read."""
    return f"only its owner's login is asked for it, and {owner} is no service of this database whose password is known"
