"""Alembic's version tables, and the service of each revision, according to the services' migration scripts.

Each is read by its owner's own login, or where nobody's code is run by reading it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from engarde.declaration.model import DatabaseStack, Service
from engarde.errors import NotAnswered, Unreachable
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import LOCKED, Session, session

AT_ONCE = 4
"""Logins at a time: a login mostly waits, and a production server has few free connections."""

_NUMBER = re.compile(r"\d{1,11}")
"""A numbered id, which several histories may have; Alembic's own ids have twelve digits and letters."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class NotRead:
    reason: str


def ask_logins(logins: Iterable[Access], question: Callable[[Session, Access], Answer]) -> dict[str, Answer | NotRead]:
    """Role -> its answer, each from a read-only session of its own."""

    def one(login: Access) -> Answer | NotRead:
        try:
            with session(login) as asked:
                asked.execute_file("own_begin")
                return question(asked, login)
        except NotAnswered as refusal:
            return NotRead(f"the server refuses it to {login.role}: {refusal}")
        except Unreachable as error:
            return NotRead(f"{login.role} cannot log in: {error}")

    chosen = {login.role: login for login in logins}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(chosen, pool.map(one, chosen.values()), strict=True))


Logins = Callable[[], Mapping[str, Access]]
"""Role -> login; called only if one is needed."""


def listed(stack: DatabaseStack, asked: Session) -> list[VersionTable]:
    """The version tables of the database, from the catalogs; their contents are not read."""
    return asked.query("version_tables", VersionTable, roles=[service.role for service in stack.services])


def read(stack: DatabaseStack, asked: Session, logins: Logins) -> tuple[VersionTable, ...]:
    """The version tables of the database, with their contents."""
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
    """The tables, with the contents of those that this session may read itself."""
    return [filled(table, asked) if table.trusted else table for table in tables]


def together(
    tables: Iterable[VersionTable], answers: Mapping[str, list[VersionTable] | NotRead]
) -> Iterator[VersionTable]:
    """The tables with the answers of their owners' logins."""
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
        found = asked.try_query("version_table_revisions", dict, put={"schema": table.schema})
    except NotAnswered as refusal:
        return replace(table, unread="it is locked now" if str(refusal) == LOCKED else f"the server reports {refusal}")
    return replace(table, revisions=tuple(sorted({row["revision"] for row in found})))


def unknown(owner: str) -> str:
    """Why a table that only its owner reads was not read."""
    return f"only its owner's login reads it, and {owner} is not a service of this database with a known password"


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of the services in one database, which tell the service of a revision."""

    stack: DatabaseStack
    known: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    """service's name -> revision -> the script that makes it; without those that are not on this machine or cannot be
    read"""

    def home(self, table: VersionTable) -> Service | None:
        """The service in whose schema the table is."""
        return next((service for service in self.stack.services if service.schema_ == table.schema), None)

    def of(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions in the table that are in the service's history."""
        history = self.known.get(service.name, {})
        return [revision for revision in table.revisions or () if revision in history]

    def proven(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions that certainly belong to the service; a number does not, as many histories have 0001."""
        return [revision for revision in self._alone(service, table) if not _NUMBER.fullmatch(revision)]

    def evidence(self, service: Service, table: VersionTable) -> str:
        """What the service's scripts say about the revisions in the table; empty if they have none of them."""
        if own := self.proven(service, table):
            return f"{', '.join(own)} is {service.name}'s, by {self.known[service.name][own[0]].name}"
        found = self.of(service, table)
        return f"{', '.join(found)} is in the history of {service.name}, which may be chance" if found else ""

    def uses(self, service: Service, table: VersionTable, has_own: bool) -> bool:
        """Whether a table outside of its schema is the service's, or holds revisions of it.

        :param has_own: whether there is a version table in the service's schema.
        """
        if self.proven(service, table):
            return True
        if not self.may_use(service, table):
            return False
        return table.owner == service.role or (not has_own and bool(self._alone(service, table)))

    def may_use(self, service: Service, table: VersionTable) -> bool:
        """Whether the stack file and the histories allow it."""
        if self.stack.lets_make(table.schema, service.role):
            return False
        if table.revisions and service.name in self.known and not self.of(service, table):
            return False
        home = self.home(table)
        return not (home and table.revisions and len(self.of(home, table)) == len(table.revisions))

    def _alone(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions that only this service's scripts have."""
        home = self.home(table)
        if home and home.name not in self.known:
            return []
        others = {revision for name, history in self.known.items() if name != service.name for revision in history}
        return [revision for revision in self.of(service, table) if revision not in others]


ReadHistories = Callable[[DatabaseStack], Histories]
"""Reads the histories of a database's services."""
