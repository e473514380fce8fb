"""One service: a role, the schema it owns, its way into the database, and its declared reads."""

from __future__ import annotations

import pulumi
import pulumi_postgresql as postgresql

from components.login import login
from components.reads import RELEASED, plan
from components.resource_names import name_of_read
from components.shared_database import SharedDatabase
from engarde.model import Service
from engarde.names import PUBLIC
from engarde.privileges import On, Privilege, tenant

READS = (On.SCHEMA, On.TABLE, On.COLUMNS)
"""What a service has outside of its own schema."""


class ServiceTenant(pulumi.ComponentResource):
    """A service with a schema of its own in the shared database."""

    def __init__(
        self,
        name: str,
        service: Service,
        shared: SharedDatabase,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("engarde:index:ServiceTenant", name, None, opts)
        self.service = service
        self.login = login(name, service, shared, self, search_path=[service.schema_, PUBLIC])
        self._shared = shared
        self._rows = tenant(shared.stack, service)
        self._memberships = [self._grant(row) for row in self._rows if row.on is On.ROLE]

    def make_schema(self) -> None:
        """The schema, once every role of the stack is there, and what the service has beside it."""
        shared, service = self._shared, self.service
        schema = postgresql.Schema(
            f"{service.name}-schema",
            name=service.schema_,
            database=shared.stack.server.database,
            owner=self.login.role.name,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=shared.provider,
                protect=service.protect,
                # Deleted before any role: a role's deletion takes it off the access list of each schema it reads.
                depends_on=[*shared.roles_on(service.schema_), *self._memberships],
            ),
        )
        shared.schemas[service.schema_] = schema
        shared.turns.begin(service.schema_, schema)
        for row in self._rows:
            if row.on not in READS and row.on is not On.ROLE:
                self._grant(row)

    def grant_reads(self) -> None:
        """The declared reads, once every schema of the stack has its owner; completes the component."""
        rows = [row for row in self._rows if row.on in READS]
        planned = plan(
            self.service,
            [row for row in rows if row.on is not On.SCHEMA],
            self._shared.existing_tables,
            self._shared.recorded,
        )
        for row in rows:
            if row.on is On.SCHEMA:
                self._grant(row)
        for read in planned.reads:
            self._grant(read.row, vanished=read.vanished)
        for schema, table in planned.missing:
            self._warn(schema, table, "does not exist yet; the next `pulumi up` after it does grants it")
        released = [read.row for read in planned.reads if read.vanished]
        for row in released:
            self._warn(row.schema, row.table, "has vanished; once it is back `pulumi up --refresh` grants it anew")
        self.register_outputs({RELEASED: [name_of_read(self.service.name, row) for row in released]})

    def _grant(self, row: Privilege, *, vanished: bool = False) -> pulumi.Resource:
        # Gone with the role, so that a role that stays (protected, or with data) keeps all it has.
        return self._shared.grant(
            self.service.name,
            row,
            self,
            grantee=self.login.role.name if row.grantee == self.service.role else row.grantee,
            of=self.login.role.name if row.on is On.ROLE else None,
            deleted_with=self.login.role,
            retain=vanished,
            # A refresh empties the columns of a table that is gone; changing them back would fail.
            ignore_changes=["columns", "objects", "privileges"] if vanished else None,
        )

    def _warn(self, schema: str | None, table: str | None, what: str) -> None:
        pulumi.log.warn(f"{self.service.name}: the declared read {schema}.{table} {what}", resource=self)

    @property
    def summary(self) -> dict[str, object]:
        """What deploy scripts may know in clear."""
        return {
            "schema": self.service.schema_,
            "role": self.service.role,
            "connectionLimit": self.service.connection_limit,
            "reads": [str(read) for read in self.service.reads],
        }
