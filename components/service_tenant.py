"""One service: a role, the schema it owns, its way into its database, and its declared reads and calls."""

from collections.abc import Iterable, Iterator

import pulumi
import pulumi_postgresql as postgresql

from components.database import Database
from components.engine import Recorded
from components.login import login, role, settings_inputs
from components.orphaned_resources import left
from components.previous_run import PROTECTED
from components.reads import RELEASED, Plan, plan
from components.resource_names import name_of_read
from engarde.declaration.model import Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, Privilege, tenant
from engarde.pulumi_cli.resource_names import database_label, in_database, place_of
from engarde.pulumi_cli.state import SCHEMA, TENANT
from engarde.server.functions import spelled

READS = (On.SCHEMA, On.TABLE, On.COLUMNS, On.FUNCTION)
"""What a service has outside of its own schema."""


class ServiceTenant(pulumi.ComponentResource):
    """A service with a schema of its own, in the shared database or in one of its own."""

    def __init__(
        self,
        name: str,
        service: Service,
        database: Database,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self._settings = settings_inputs(name, service, [database], database.recorded, TENANT)
        super().__init__(TENANT, name, self._settings, opts)
        service = spelled(service, database.found.functions)
        self.service = service
        self.login = login(name, service, database, self, search_path=[service.schema_, PUBLIC])
        self._database = database
        self._rows = tenant(database.stack, service)
        self._memberships = [self._grant(row) for row in self._rows if row.on is On.ROLE]

    def make_schema(self) -> None:
        """The schema, once every role of the stack is there, and what the service has beside it."""
        database, service = self._database, self.service
        schema = postgresql.Schema(
            in_database(f"{service.name}-schema", database.stack),
            name=service.schema_,
            database=database.stack.server.database,
            owner=database.name_of_role(service.role),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=database.provider,
                protect=service.protect,
                # Deleted before any role: a role's deletion takes it off the access list of each schema it reads.
                depends_on=[*database.roles_on(service.schema_), *self._memberships],
            ),
        )
        database.schemas[service.schema_] = schema
        database.turns.begin(service.schema_, schema)
        for row in self._rows:
            if row.on not in READS and row.on is not On.ROLE:
                self._grant(row)

    def grant_reads(self, others: Iterable[Database]) -> None:
        """The declared reads and calls, once every schema of the stack has its owner; completes the component."""
        rows = [row for row in self._rows if row.on in READS]
        database = self._database
        things = [row for row in rows if row.on is not On.SCHEMA]
        planned = self._plan(database, things)
        for row in rows:
            if row.on is On.SCHEMA:
                self._grant(row)
        for read in planned.reads:
            self._grant(read.row, vanished=read.vanished)
        self._warn(planned.missing, "does not exist yet; the next `pulumi up` after it does grants it")
        released = [read.row for read in planned.reads if read.vanished]
        self._warn(released, "has vanished; once it is back `pulumi up --refresh` grants it anew")
        self._warn(planned.back, "is back; the next `pulumi up` grants it anew")
        names = [name_of_read(self.service.name, row, database.stack) for row in released]
        names += [name for other in others if other is not database for name in self._let_go(other)]
        self.register_outputs({RELEASED: names, PROTECTED: self.service.protect, **self._settings})

    def _let_go(self, database: Database) -> Iterator[str]:
        """Reads of a database that the service has moved out of, whose tables are gone; the others are revoked."""
        for read in self._plan(database, ()).reads:
            self._grant(read.row, database, vanished=True)
            yield name_of_read(self.service.name, read.row, database.stack)

    def _plan(self, database: Database, declared: Iterable[Privilege]) -> Plan:
        roles = database.former_roles
        return plan(self.service, database.stack, declared, database.found, database.recorded, roles)

    def leave(self, databases: Iterable[Database]) -> None:
        """What the service has where it was before stays there and leaves the state; this run marks it for that."""
        by_label = {place_of(database.stack): database for database in databases}
        here = self._database
        for found in left(self.service, here.stack, here.recorded):
            there = by_label[database_label(found.name)]
            if found.type == SCHEMA:
                self._leave_schema(found, there)
            else:
                path, name = [self.service.schema_, PUBLIC], found.made
                after = [here.schemas[self.service.schema_]]
                role(self.service.name, self.service, there, self, self.login.password, path, left=name, after=after)

    def _leave_schema(self, found: Recorded, there: Database) -> None:
        postgresql.Schema(
            found.name,
            name=found.made,
            database=found.outputs["database"],
            owner=found.outputs["owner"],
            # Means nothing to a schema that is there; it tells later runs that this one has marked it.
            if_not_exists=False,
            opts=pulumi.ResourceOptions(parent=self, provider=there.provider, retain_on_delete=True),
        )

    def _grant(self, row: Privilege, database: Database | None = None, *, vanished: bool = False) -> pulumi.Resource:
        database = database or self._database
        name = self._database.name_of_role(self.service.role)
        # Dropping a role takes it off the access lists of the database in which that is done, and of no other.
        beyond = database.stack.label is not None and not database.stack.elsewhere and row.on in READS
        return database.grant(
            self.service.name,
            row,
            self,
            grantee=name if row.grantee == self.service.role else row.grantee,
            of=name if row.on is On.ROLE else None,
            # Gone with the role, so that a role that stays (protected, or with data) keeps all it has.
            deleted_with=None if beyond else self.login.role,
            retain_on_delete=vanished,
            # A refresh empties the columns of a table that is gone; changing them back would fail.
            ignore_changes=["columns", "objects", "privileges"] if vanished else None,
            # The plugin reads functions by their bare names, and so never sees that one has lost its grants.
            replacement_trigger=None if vanished else self._number(row, database),
        )

    def _number(self, row: Privilege, database: Database) -> int | None:
        named = (row.schema, row.function)
        found = database.found.functions.values()
        return next((function.oid for function in found if (function.schema, function.signature) == named), None)

    def _warn(self, rows: Iterable[Privilege], what: str) -> None:
        told = (
            f"call {row.schema}.{row.function}" if row.function else f"read {row.schema}.{row.table}" for row in rows
        )
        for thing in dict.fromkeys(told):
            pulumi.log.warn(f"{self.service.name}: the declared {thing} {what}", resource=self)

    @property
    def summary(self) -> dict[str, object]:
        """What deploy scripts may know in clear."""
        own = {"database": self.service.database} if self.service.database else {}
        found = self._database.found.views
        views = [f"{read.schema_}.{read.table}" for read in self.service.reads if (read.schema_, read.table) in found]
        return {
            "schema": self.service.schema_,
            "role": self.service.role,
            "connectionLimit": self.service.connection_limit,
            "reads": list(map(str, self.service.reads)),
            **({"executes": list(map(str, self.service.executes))} if self.service.executes else {}),
            # What is none yet and becomes one later is worth a finding.
            **({"views": views} if views else {}),
            **own,
        }
