"""One service: a role, the schema that it owns, CONNECT to its database, and its declared reads and calls."""

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
"""Privileges of a service outside of its own schema."""


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
        """Creates the schema, once every role of the stack exists, and the service's other grants."""
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
                # Deleted before any role: a role's deletion changes the access list of each schema that it reads.
                depends_on=[*database.roles_on(service.schema_), *self._memberships],
            ),
        )
        database.schemas[service.schema_] = schema
        database.turns.begin(service.schema_, schema)
        for row in self._rows:
            if row.on not in READS and row.on is not On.ROLE:
                self._grant(row)

    def grant_reads(self, others: Iterable[Database]) -> None:
        """Grants the declared reads and calls, once every schema has its owner; completes the component."""
        database = self._database
        planned = self._plan(database, [row for row in self._rows if row.on in READS and row.on is not On.SCHEMA])
        for row in (*(row for row in self._rows if row.on is On.SCHEMA), *planned.granted):
            self._grant(row)
        names = self._let_go(planned, database)
        self._warn(planned.missing, "does not exist yet; once it does, the next `pulumi up` grants it")
        self._warn(planned.vanished, "no longer exists; once it is back, `pulumi up --refresh` grants it again")
        self._warn(planned.back, "exists again; the next `pulumi up` grants it again")
        # In a database that the service moved out of: reads whose tables were dropped; the others are revoked.
        for other in others:
            if other is not database:
                names += self._let_go(self._plan(other, ()), other)
        self.register_outputs({RELEASED: names, PROTECTED: self.service.protect, **self._settings})

    def _let_go(self, planned: Plan, database: Database) -> list[str]:
        """Marks what has vanished; returns its names."""
        for row in planned.vanished:
            self._grant(row, database, vanished=True)
        return [name_of(self.service.name, row, database.stack) for row in planned.vanished]

    def _plan(self, database: Database, declared: Iterable[Privilege]) -> Plan:
        roles = database.former_roles
        return plan(self.service, database.stack, declared, database.found, database.recorded, roles)

    def leave(self, databases: Iterable[Database]) -> None:
        """Marks what the service has in its former database: it stays there, and a later run forgets it."""
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
                    # No effect on an existing schema; it tells later runs that this one marked it.
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
        # Dropping a role removes it only from the access lists of the database in which it is dropped.
        beyond = database.stack.label is not None and not database.stack.elsewhere and row.on in READS
        return database.grant(
            self.service.name,
            row,
            self,
            grantee=name if row.grantee == self.service.role else row.grantee,
            of=name if row.on is On.ROLE else None,
            # Deleted with the role, so that a role that stays (protected, or with data) keeps its privileges.
            deleted_with=None if beyond else self.login.role,
            retain_on_delete=vanished,
            # A refresh empties the columns of a dropped table; changing them back would fail.
            ignore_changes=["columns", "objects", "privileges"] if vanished else None,
            # The provider reads functions by their bare names, so it never sees that one lost its grants.
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
        """What deploy scripts may read in clear text."""
        service, found = self.service, self._database.found.views
        maybe = {
            "executes": list(map(str, service.executes)),
            # A table that becomes a view later is a finding.
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
