"""What the services' own migration scripts prove about revisions, and who may begin at base.

While a service's revisions are outside of its own schema, nothing is run from base.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engarde.alembic.scripts import Graph, graph, project
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import VERSION_TABLE
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.pulumi_cli.process import FOLDER
from engarde.server import version_tables
from engarde.server.catalog.rows import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.quoting import quoted, word

_NUMBER = re.compile(r"\d{1,11}")
"""An id that histories have in common by counting; Alembic's own have twelve digits and letters."""


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of the services in one database, and whose the revisions are that are found there."""

    stack: DatabaseStack
    known: Mapping[str, Graph]
    """by the service's name; without those that are not on this machine or cannot be read"""

    def home(self, table: VersionTable) -> Service | None:
        """The service in whose schema the table is."""
        return next((service for service in self.stack.services if service.schema_ == table.schema), None)

    def of(self, service: Service, table: VersionTable) -> list[str]:
        """The revisions in the table that are in the service's history."""
        history = self.known.get(service.name)
        return [revision for revision in table.revisions or () if history and history.knows(revision)]

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
        return [found for found in self.of(service, table) if not any(other.knows(found) for other in others)]


def histories(stack: DatabaseStack) -> Histories:
    """Those of the services in the stack's database, as far as they can be read."""
    found = {}
    for service in stack.services:
        if service.migrations:
            try:
                found[service.name] = graph(project(FOLDER / service.migrations.path, service.migrations.command))
            except ConfigError:
                continue
    return Histories(stack, found)


class OtherVersionTable(Refused):
    """A service's revisions are in another version table than its own."""


@dataclass(frozen=True)
class Database:
    """The version tables of one database, read once, when a service is found that would begin at base."""

    stack: DatabaseStack
    admin: Access = field(repr=False)
    logins: Mapping[str, Access] = field(repr=False)
    """role -> login, of the services whose passwords are known"""

    def refuse_base(self, service: Service) -> None:
        """Lets a service begin that has no revision in its own table.

        :raises OtherVersionTable: a table outside of its schema holds its revisions.
        :raises Unreachable: one that it may have used cannot be read now.
        """
        has_own = any(table.schema == service.schema_ for table in self._tables)
        # What stands in a schema where the service may not write is a neighbour's word.
        others = [
            table
            for table in self._tables
            if table.schema != service.schema_ and (not self._histories.home(table) or service.role in table.writers)
        ]
        for table in others:
            if table.revisions and self._histories.uses(service, table, has_own):
                raise OtherVersionTable(self._said(service, table))
        for table in others:
            # With a table of its own, an empty one, the service has been told to begin.
            used = table.trusted or table.owner == service.role or (service.role in table.writers and not has_own)
            if used and table.revisions is None:
                raise Unreachable(
                    f"{table.identity} cannot be read now: {table.unread}; it may hold revisions of {service.name},"
                    f" whose own table has none; nothing was changed{'' if has_own else self._way_out(service)}"
                )

    def _said(self, service: Service, table: VersionTable) -> str:
        evidence = self._histories.evidence(service, table) or f"{table.owner} owns it"
        said = (
            f"{table.identity} holds {', '.join(table.revisions or ())}: {evidence}; from base {service.name} would"
            " make its tables anew beside those that are there, so nothing was changed; `bin/engarde doctor"
            f" --stack {self.stack.name}` says how it gets a version table of its own"
        )
        if self._histories.proven(service, table) or table.owner == service.role:
            return said
        return said + self._way_out(service)

    def _way_out(self, service: Service) -> str:
        table_of_its_own = (
            f"CREATE TABLE {quoted(service.schema_, VERSION_TABLE)} (version_num varchar(32) PRIMARY KEY)"
        )
        command = ("bin/engarde", "psql", service.name, "--stack", self.stack.name, "-c", table_of_its_own)
        return f"; if {service.name} has no tables yet, an empty one lets it begin: {' '.join(map(word, command))}"

    @cached_property
    def _histories(self) -> Histories:
        return histories(self.stack)

    @cached_property
    def _tables(self) -> tuple[VersionTable, ...]:
        with session(self.admin) as asked:
            return version_tables.read(self.stack, asked, lambda: self.logins)
