"""The one database: the admin's way in, what PUBLIC and roles outside the stack may do, extensions."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
import pulumi_postgresql as postgresql

from components.engine import Recorded, taken_over
from components.grants import Turns, grant
from components.resource_names import former_names, name_of
from engarde.model import Stack, Table
from engarde.names import PUBLIC
from engarde.privileges import On, Privilege, baseline, outside, readers

CONNECT_TIMEOUT = 15
"""Before an address that stops to answer is given up [seconds]; the plugin's own default is 180."""

NEAR_ROLES = 20
"""As `NEAR` for roles, which all meet on the database's access list: enough for every two of a stack of this size."""


class SharedDatabase(pulumi.ComponentResource):
    """The database that the services share, seen by the admin."""

    def __init__(
        self,
        name: str,
        stack: Stack,
        admin_password: pulumi.Output[str],
        tables: frozenset[Table],
        recorded: tuple[Recorded, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("engarde:index:SharedDatabase", name, None, opts)
        self.stack = stack
        self.turns = Turns(stack)
        self.roles: dict[str, postgresql.Role] = {}
        self.schemas: dict[str, postgresql.Schema] = {}
        self.existing_tables = tables
        self.recorded = recorded
        self.taken_over = taken_over()
        self._name = name
        self._connects: list[pulumi.Resource] = []
        server = stack.server
        self.provider = postgresql.Provider(
            f"{name}-admin",
            host=server.host,
            port=server.port,
            database=server.database,
            username=server.user,
            password=admin_password,
            sslmode=server.sslmode or "prefer",
            superuser=server.superuser,
            connect_timeout=CONNECT_TIMEOUT,
            opts=pulumi.ResourceOptions(parent=self),
        )
        for role in stack.outside_roles:
            for row in outside(stack, role):
                # Kept when the stack is destroyed: these roles worked before it and go on after it.
                self.grant(f"outside-{role.name}", row, self, grantee=role.name, retain=True)

    def grant(
        self,
        owner: str,
        row: Privilege,
        parent: pulumi.Resource,
        *,
        grantee: pulumi.Input[str],
        of: pulumi.Input[str] | None = None,
        deleted_with: pulumi.Resource | None = None,
        retain: bool = False,
        after: Iterable[pulumi.Resource] = (),
        ignore_changes: list[str] | None = None,
    ) -> pulumi.Resource:
        """One row of the privilege table as a resource `<owner>-<what>`, when its turn has come; `of` as in `grant`."""
        made = grant(
            name_of(owner, row, self.stack),
            row,
            grantee=grantee,
            of=of,
            opts=pulumi.ResourceOptions(
                parent=parent,
                provider=self.provider,
                depends_on=[*self.turns.before(row), *after],
                deleted_with=deleted_with,
                retain_on_delete=retain,
                ignore_changes=ignore_changes,
                aliases=[pulumi.Alias(name=name) for name in former_names(owner, row, self.stack, self.recorded)],
            ),
        )
        self.turns.take(row, made)
        if row.on is On.DATABASE:
            self._connects.append(made)
        return made

    @property
    def earlier_roles(self) -> list[postgresql.Role]:
        """Those that a role waits for: each one's deletion takes it off the database's access list."""
        return list(self.roles.values())[-NEAR_ROLES:]

    def roles_on(self, schema: str) -> list[postgresql.Role]:
        """The last role, and those on the schema's access list, which have to outlive it."""
        on = [role for name, role in self.roles.items() if name in readers(self.stack, schema)]
        return [*on, *list(self.roles.values())[-1:]]

    def complete(self) -> None:
        """PUBLIC loses its rights, now that every role has its own; then the extensions."""
        others = list(self._connects)
        for row in baseline(self.stack):
            self.grant(f"{self._name}-public", row, self, grantee=PUBLIC, retain=True, after=others)
        for extension in self.stack.extensions:
            schema = self.schemas.get(extension.schema_)
            postgresql.Extension(
                f"{self._name}-extension-{extension.name}",
                name=extension.name,
                database=self.stack.server.database,
                schema=extension.schema_,
                version=extension.version,
                # Kept when the stack is destroyed: a column of somebody's table may be of its type.
                opts=pulumi.ResourceOptions(
                    parent=self,
                    provider=self.provider,
                    depends_on=[schema] if schema else None,
                    retain_on_delete=True,
                ),
            )
        self.register_outputs({})
