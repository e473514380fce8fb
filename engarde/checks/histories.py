"""What the services' own migration scripts prove about revisions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engarde.declaration.model import DatabaseStack, Service
from engarde.server.catalog import VersionTable

_NUMBER = re.compile(r"\d{1,11}")
"""An id that histories have in common by counting; Alembic's own have twelve digits and letters."""


class Revision(Protocol):
    """A migration."""

    @property
    def file(self) -> Path:
        """The script that makes it."""


class History(Protocol):
    """The migration scripts of one service, whoever has read them."""

    @property
    def revisions(self) -> Mapping[str, Revision]:
        """By their ids."""


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of the services in one database, and whose the revisions are that are found there."""

    stack: DatabaseStack
    known: Mapping[str, History] = field(default_factory=dict)
    """by the service's name; without those that are not on this machine or cannot be read"""

    def home(self, table: VersionTable) -> Service | None:
        """The service in whose schema the table is."""
        return next((service for service in self.stack.services if service.schema_ == table.schema), None)

    def of(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions in the table that are in the service's history."""
        history = self.known.get(service.name)
        return [revision for revision in table.revisions or () if history and revision in history.revisions]

    def proven(self, service: Service, table: VersionTable) -> list[str]:
        """Those that are the service's for certain. A number is not: many a history begins with 0001."""
        return [revision for revision in self._alone(service, table) if not _NUMBER.fullmatch(revision)]

    def evidence(self, service: Service, table: VersionTable) -> str:
        """What its scripts say of the revisions in the table; nothing where they have none of them."""
        history = self.known.get(service.name)
        if history and (own := self.proven(service, table)):
            return f"{', '.join(own)} is {service.name}'s, by {history.revisions[own[0]].file.name}"
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
        """Whether neither the stack file nor a history speaks against it."""
        if self.stack.lets_make(table.schema, service.role):
            return False
        if table.revisions and service.name in self.known and not self.of(service, table):
            return False
        home = self.home(table)
        return not (home and table.revisions and len(self.of(home, table)) == len(table.revisions))

    def _alone(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions that its migration scripts have, and no other service's."""
        home = self.home(table)
        if home and home.name not in self.known:
            return []
        others = [history for name, history in self.known.items() if name != service.name]
        return [
            revision for revision in self.of(service, table) if not any(revision in other.revisions for other in others)
        ]


ReadHistories = Callable[[DatabaseStack], Histories]
"""Reads those of a database; `Histories` itself reads none."""
