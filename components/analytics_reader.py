"""The analytics role: reads everything declared, now and in future, and writes nothing."""

from collections.abc import Iterable

import pulumi

from components.database import Database, SharedDatabase
from components.login import login, role, settings_inputs
from components.previous_run import PROTECTED
from engarde.declaration.databases import display_name
from engarde.declaration.model import Analytics
from engarde.declaration.privileges import reader
from engarde.pulumi_cli.state import READER


class AnalyticsReader(pulumi.ComponentResource):
    """A login that selects from every declared schema, in every database of the stack."""

    def __init__(self, name: str, analytics: Analytics, shared: SharedDatabase, others: Iterable[Database]) -> None:
        self._name = name
        self._databases = [shared, *(database for database in others if database.stack.analytics)]
        homes = [shared, *(database for database in self._databases if database.stack.elsewhere)]
        self._settings = settings_inputs(analytics, homes)
        super().__init__(READER, name, self._settings)
        self.login = login(analytics, shared, self)
        for database in homes[1:]:
            role(analytics, database, self, self.login.password)

    def grant_reads(self) -> None:
        """Grants the reads, once every schema of the stack exists; completes the component."""
        for database in self._databases:
            analytics = database.stack.analytics
            for row in reader(database.stack, analytics) if analytics else ():
                # Deleted with a managed schema: a schema that cannot be dropped keeps its reader.
                gone_with = database.schemas.get(row.schema or "", database.roles[row.grantee])
                name = database.name_of_role(row.grantee)
                database.grant(self._name, row, self, grantee=name, deleted_with=gone_with)
        self.register_outputs({PROTECTED: self.login.declared.protect, **self._settings})

    @property
    def urls(self) -> dict[str, pulumi.Output[str]]:
        return {display_name(database.stack): self.login.url_in(database.stack) for database in self._databases}
