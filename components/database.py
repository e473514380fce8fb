"""The databases: the admin's way in, what is granted in each, what PUBLIC and roles from outside may do, extensions."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pulumi
import pulumi_postgresql as postgresql

from components.engine import taken_over, told
from components.grants import PUBLICS, AclSerializer, former_names, grant, name_of, outsiders
from components.renames import Renames
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, Privilege, baseline, outside, outside_reads, readers
from engarde.declaration.resource_names import in_database
from engarde.preflight.server_facts import ServerFacts
from engarde.server import role_settings

CONNECT_TIMEOUT = 15
"""Before an address that stops to answer is given up [seconds]; the plugin's own default is 180."""

NEAR_ROLES = 20
"""As `NEAR` for roles, which all meet on the database's access list: enough for every two of a stack of this size."""

NAME = "database"
ADMIN = f"{NAME}-admin"


class Database(pulumi.ComponentResource):
    """A database of the stack, seen by the admin of its server."""

    def __init__(
        self,
        kind: str,
        stack: DatabaseStack,
        provider: postgresql.Provider | pulumi.Output[str],
        found: ServerFacts,
        renames: Renames,
        roles: dict[str, postgresql.Role],
    ) -> None:
        super().__init__(f"engarde:index:{kind}", in_database(NAME, stack))
        self.stack = stack
        self.turns = AclSerializer(stack)
        self.roles = roles
        """those of the server, as far as they are declared by now"""
        self.schemas: dict[str, postgresql.Schema] = {}
        self.found = found
        self.renames = renames
        self.recorded = renames.recorded
        self.former_roles = renames.roles(stack)
        """role -> what it is called before this run, where that is something else"""
        self.taken_over = taken_over()
        self._connects: list[pulumi.Resource] = []
        self._unsettled: dict[str, tuple[postgresql.Role, Sequence[str]]] = {}
        if isinstance(provider, postgresql.Provider):
            self.provider = provider
            return
        self.provider = postgresql.Provider(
            in_database(ADMIN, stack),
            host=stack.server.host,
            port=stack.server.port,
            database=stack.server.database,
            username=stack.server.user,
            password=provider,
            sslmode=stack.server.sslmode or "prefer",
            superuser=stack.server.superuser,
            connect_timeout=CONNECT_TIMEOUT,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def grant(
        self,
        owner: str,
        row: Privilege,
        parent: pulumi.Resource,
        *,
        grantee: pulumi.Input[str],
        of: pulumi.Input[str] | None = None,
        after: Iterable[pulumi.Resource] = (),
        **options: Any,
    ) -> pulumi.Resource:
        """One row of the privilege table as a resource `<owner>-<what>`, when its turn has come; `of` as in `grant`.

        `options` are more of Pulumi's for the resource. It is deleted before it is replaced: created first, its
        successor would lose what the old one's deletion revokes.
        """
        name = name_of(owner, row, self.stack)
        former = former_names(owner, row, self.stack, self.recorded, self.former_roles)
        opts = pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            depends_on=[*self.turns.before(row), *after],
            aliases=[pulumi.Alias(name=name) for name in former],
            delete_before_replace=True,
            **options,
        )
        made = grant(name, row, opts, grantee=grantee, of=of)
        self.renames.grants(made, [name, *former])
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

    def name_of_role(self, declared: str) -> pulumi.Output[str]:
        """The name of a declared role, once it may be put in the place of a former one."""
        return self.renames.name(self.roles[declared], self.former_roles.get(declared), self.stack)

    def settle(self, login: Service | Analytics, role: postgresql.Role, before: Collection[str]) -> None:
        """The role is to have the settings that the plugin cannot give it; `set_role_settings` does it.

        Those `before` are what the last run has set.
        """
        found = self.found.settings.get(login.role, {})
        if changes := role_settings.changes(login, self.stack.server, found, before):
            self._unsettled[login.role] = (role, changes)

    def set_role_settings(self, admin_password: str) -> None:
        """Sets and takes back what roles start with, once they are all there; in a preview nothing."""
        if not self._unsettled or pulumi.runtime.is_dry_run():
            return
        changes = {role: statements for role, (_, statements) in self._unsettled.items()}
        apply = told()(lambda _: role_settings.apply(self.stack, admin_password, changes))
        pulumi.Output.all(*(role.id for role, _ in self._unsettled.values())).apply(apply)

    def complete(self) -> None:
        """PUBLIC loses its rights, now that every role has its own; then the extensions."""
        others = list(self._connects)
        for row in baseline(self.stack):
            self.grant(PUBLICS, row, self, grantee=PUBLIC, retain_on_delete=True, after=others)
        for extension in self.stack.extensions:
            postgresql.Extension(
                in_database(f"{NAME}-extension-{extension.name}", self.stack),
                name=extension.name,
                database=self.stack.server.database,
                schema=extension.schema_,
                version=extension.version,
                # Kept when the stack is destroyed: a column of somebody's table may be of its type.
                opts=pulumi.ResourceOptions(parent=self, provider=self.provider, retain_on_delete=True),
            )
        self.register_outputs({})


class SharedDatabase(Database):
    """The shared database, on the server on which every role is made that no other server needs."""

    def __init__(
        self, stack: DatabaseStack, admin_password: pulumi.Output[str], found: ServerFacts, renames: Renames
    ) -> None:
        super().__init__("SharedDatabase", stack, admin_password, found, renames, {})
        for role in stack.outside_roles:
            for row in outside(stack, role):
                # Kept when the stack is destroyed: these roles worked before it and go on after it.
                self.grant(outsiders(role), row, self, grantee=role.name, retain_on_delete=True)

    def grant_outside_reads(self) -> None:
        """What these roles read, once every schema of the stack has its owner; kept, as the rest of what they have."""
        for role in self.stack.outside_roles:
            for row in outside_reads(self.stack, role):
                if row.table is None or (row.schema, row.table) in self.found.tables:
                    self.grant(outsiders(role), row, self, grantee=role.name, retain_on_delete=True)
                else:
                    pulumi.log.warn(
                        f"{role.name}: the declared read {row.schema}.{row.table} does not exist; the next `pulumi up`"
                        " after it does grants it",
                        resource=self,
                    )


class OwnDatabase(Database):
    """A database beside the shared one, whose server's admin and roles it has where they are on the same server."""

    def __init__(
        self,
        stack: DatabaseStack,
        shared: SharedDatabase,
        admin_password: pulumi.Output[str] | None,
        found: ServerFacts,
        renames: Renames,
    ) -> None:
        roles = shared.roles if admin_password is None else {}
        super().__init__("OwnDatabase", stack, admin_password or shared.provider, found, renames, roles)
