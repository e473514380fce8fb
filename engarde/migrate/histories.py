"""Reads the services' own migration scripts, and says who may begin at base.

While a service's revisions are outside of its own schema, nothing is run from base.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engarde.alembic.scripts import graph, project
from engarde.checks.histories import Histories
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import VERSION_TABLE
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.server import version_tables
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.quoting import quoted, word


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
