"""The databases: the admin's provider, grants, what PUBLIC and outside roles may do, extensions."""

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
"""How long the provider waits for an address that does not answer [seconds]; its own default is 180."""

NEAR_ROLES = 20
"""Like `NEAR`, for roles, which all change the database's access list: all pairs in a stack of this size."""

NAME = "database"
ADMIN = f"{NAME}-admin"


class Database(pulumi.ComponentResource):
    """A database of the stack, and what the admin of its server grants there."""

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
        """the roles of the server that are declared so far"""
        self.schemas: dict[str, postgresql.Schema] = {}
        self.found = found
        self.renames = renames
        self.recorded = renames.recorded
        self.former_roles = renames.roles(stack)
        """role -> its name before this run, if that is another one"""
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
        """One row of the privilege table as a resource `<owner>-<what>`, in its turn; `of` as in `grant`.

        `options` are further options of Pulumi for the resource. It is deleted before it is replaced: otherwise the
        deletion of the old one would revoke what the new one granted.
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
        """The roles that a new role waits for: the deletion of each changes the database's access list."""
        return list(self.roles.values())[-NEAR_ROLES:]

    def roles_on(self, schema: str) -> list[postgresql.Role]:
        """The last role, and the roles on the schema's access list, which must outlive the schema."""
        on = [role for name, role in self.roles.items() if name in readers(self.stack, schema)]
        return [*on, *list(self.roles.values())[-1:]]

    def name_of_role(self, declared: str) -> pulumi.Output[str]:
        """The name of a declared role, once it may replace a former name."""
        return self.renames.name(self.roles[declared], self.former_roles.get(declared), self.stack)

    def settle(self, login: Service | Analytics, role: postgresql.Role, before: Collection[str]) -> None:
        """Plans the role's settings that the provider cannot set; `set_role_settings` sets them.

        `before` are the settings that the last run set.
        """
        found = self.found.settings.get(login.role, {})
        if changes := role_settings.changes(login, self.stack.server, found, before):
            self._unsettled[login.role] = (role, changes)

    def set_role_settings(self, admin_password: str) -> None:
        """Sets and resets the roles' settings, once all roles exist; does nothing in a preview."""
        if not self._unsettled or pulumi.runtime.is_dry_run():
            return
        changes = {role: statements for role, (_, statements) in self._unsettled.items()}
        apply = told()(lambda _: role_settings.apply(self.stack, admin_password, changes))
        pulumi.Output.all(*(role.id for role, _ in self._unsettled.values())).apply(apply)

    def complete(self) -> None:
        """Revokes PUBLIC's privileges, once every role has its own; then creates the extensions."""
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
                # Kept when the stack is destroyed: a column of a table may have one of its types.
                opts=pulumi.ResourceOptions(parent=self, provider=self.provider, retain_on_delete=True),
            )
        self.register_outputs({})


class SharedDatabase(Database):
    """The shared database; its server has every role that does not belong to another server."""

    def __init__(
        self, stack: DatabaseStack, admin_password: pulumi.Output[str], found: ServerFacts, renames: Renames
    ) -> None:
        super().__init__("SharedDatabase", stack, admin_password, found, renames, {})
        for role in stack.outside_roles:
            for row in outside(stack, role):
                # Kept when the stack is destroyed: these roles work before and after it.
                self.grant(outsiders(role), row, self, grantee=role.name, retain_on_delete=True)

    def grant_outside_reads(self) -> None:
        """Grants the outside roles' reads, once every schema has its owner; kept like their other grants."""
        for role in self.stack.outside_roles:
            for row in outside_reads(self.stack, role):
                if row.table is None or (row.schema, row.table) in self.found.tables:
                    self.grant(outsiders(role), row, self, grantee=role.name, retain_on_delete=True)
                else:
                    pulumi.log.warn(
                        f"{role.name}: the declared read {row.schema}.{row.table} does not exist yet; once it does, the"
                        " next `pulumi up` grants it",
                        resource=self,
                    )


class OwnDatabase(Database):
    """A database beside the shared one; on the same server it uses the shared one's admin and roles."""

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
