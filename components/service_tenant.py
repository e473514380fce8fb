"""One service: a role, the schema it owns, its way into its database, and its declared reads and calls."""

from collections.abc import Iterable

import pulumi
import pulumi_postgresql as postgresql

from components.database import Database
from components.grants import name_of
from components.login import login, role, settings_inputs
from components.previous_run import PROTECTED
from components.retained import RELEASED, Plan, left, plan
from engarde.declaration.model import Service
from engarde.declaration.privileges import On, Privilege, tenant
from engarde.declaration.resource_names import database_label, in_database, place_of
from engarde.pulumi_cli.state import SCHEMA, TENANT
from engarde.server.functions import spelled

READS = (On.SCHEMA, On.TABLE, On.COLUMNS, On.FUNCTION)
"""What a service has outside of its own schema."""


class ServiceTenant(pulumi.ComponentResource):
    """A service with a schema of its own, in the shared database or in one of its own."""

    def __init__(
        self, name: str, service: Service, database: Database, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._settings = settings_inputs(service, [database])
        super().__init__(TENANT, name, self._settings, opts)
        service = spelled(service, database.found.functions)
        self.service = service
        self.login = login(service, database, self)
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
        database = self._database
        planned = self._plan(database, [row for row in self._rows if row.on in READS and row.on is not On.SCHEMA])
        for row in (*(row for row in self._rows if row.on is On.SCHEMA), *planned.granted):
            self._grant(row)
        names = self._let_go(planned, database)
        self._warn(planned.missing, "does not exist yet; the next `pulumi up` after it does grants it")
        self._warn(planned.vanished, "has vanished; once it is back `pulumi up --refresh` grants it anew")
        self._warn(planned.back, "is back; the next `pulumi up` grants it anew")
        # Of a database that the service has moved out of, the reads whose tables are gone; the others are revoked.
        for other in others:
            if other is not database:
                names += self._let_go(self._plan(other, ()), other)
        self.register_outputs({RELEASED: names, PROTECTED: self.service.protect, **self._settings})

    def _let_go(self, planned: Plan, database: Database) -> list[str]:
        """Marks what has vanished, and gives its names."""
        for row in planned.vanished:
            self._grant(row, database, vanished=True)
        return [name_of(self.service.name, row, database.stack) for row in planned.vanished]

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
                postgresql.Schema(
                    found.name,
                    name=found.made,
                    database=found.outputs["database"],
                    owner=found.outputs["owner"],
                    # Means nothing to a schema that is there; it tells later runs that this one has marked it.
                    if_not_exists=False,
                    opts=pulumi.ResourceOptions(parent=self, provider=there.provider, retain_on_delete=True),
                )
            else:
                after = [here.schemas[self.service.schema_]]
                role(self.service, there, self, self.login.password, left=found.made, after=after)

    def _grant(self, row: Privilege, database: Database | None = None, *, vanished: bool = False) -> pulumi.Resource:
        database = database or self._database
        name = self._database.name_of_role(self.service.role)
        functions = database.found.functions.values()
        numbers: dict[tuple[str | None, str | None], int] = {
            (function.schema, function.signature): function.oid for function in functions
        }
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
            replacement_trigger=None if vanished else numbers.get((row.schema, row.function)),
        )

    def _warn(self, rows: Iterable[Privilege], what: str) -> None:
        told = (
            f"call {row.schema}.{row.function}" if row.function else f"read {row.schema}.{row.table}" for row in rows
        )
        for thing in dict.fromkeys(told):
            pulumi.log.warn(f"{self.service.name}: the declared {thing} {what}", resource=self)

    @property
    def summary(self) -> dict[str, object]:
        """What deploy scripts may know in clear."""
        service, found = self.service, self._database.found.views
        maybe = {
            "executes": list(map(str, service.executes)),
            # What is none yet and becomes one later is worth a finding.
            "views": [f"{read.schema_}.{read.table}" for read in service.reads if (read.schema_, read.table) in found],
            "database": service.database,
        }
        return {
            "schema": service.schema_,
            "role": service.role,
            "connectionLimit": service.connection_limit,
            "reads": list(map(str, service.reads)),
            **{name: value for name, value in maybe.items() if value},
        }
