"""The analytics role: reads everything declared, now and in future, and writes nothing."""

from __future__ import annotations

import pulumi

from components.login import login
from components.shared_database import SharedDatabase
from engarde.model import Analytics
from engarde.privileges import reader


class AnalyticsReader(pulumi.ComponentResource):
    """A login that selects from every declared schema."""

    def __init__(
        self,
        name: str,
        analytics: Analytics,
        shared: SharedDatabase,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("engarde:index:AnalyticsReader", name, None, opts)
        self.login = login(name, analytics, shared, self)
        self._name = name
        self._shared = shared
        self._rows = reader(shared.stack, analytics)

    def grant_reads(self) -> None:
        """The reads, once every schema of the stack is there; completes the component."""
        for row in self._rows:
            # Inside a managed schema the grants go with it: a schema that cannot be dropped keeps its reader.
            gone_with = self._shared.schemas.get(row.schema or "", self.login.role)
            self._shared.grant(self._name, row, self, grantee=self.login.role.name, deleted_with=gone_with)
        self.register_outputs({})
