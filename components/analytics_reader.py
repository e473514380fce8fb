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
        for row in reader(shared.stack, analytics):
            # Inside a managed schema the grants go with it: a schema that cannot be dropped keeps its reader.
            gone_with = shared.schemas.get(row.schema or "", self.login.role)
            shared.grant(name, row, self, grantee=self.login.role.name, deleted_with=gone_with)
        self.register_outputs({})
