"""Renamed services and roles: found in the state by their old names, and renamed with everything they have.

A role is renamed in place, and keeps what it owns and what it was granted. But the state has its grants by name, and
the provider revokes each from the old name before it grants it to the new one, which already has it. So a placeholder
with the old name exists meanwhile: it has no privileges and cannot log in, and nobody loses anything.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import pulumi
import pulumi_postgresql as postgresql

from components.engine import Recorded, told
from components.grants import former_names, name_of
from components.retained import marked, plan
from engarde.checks import journals
from engarde.checks.under_way import under_way
from engarde.declaration.model import Analytics, DatabaseStack, Service, Stack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import reader, tenant
from engarde.declaration.resource_names import is_in, is_on_server, login_name, on_server
from engarde.errors import Refused
from engarde.preflight.server_facts import ServerFacts
from engarde.pulumi_cli.state import DEFAULT_PRIVILEGES, GRANT, GRANT_ROLE, ROLE, TENANT
from engarde.server.credentials import Access
from engarde.server.role_settings import drop_placeholder, make_placeholders
from engarde.util.quoting import statement, word
from engarde.util.terminal import visible

NAMING = {GRANT: ("role",), DEFAULT_PRIVILEGES: ("role", "owner"), GRANT_ROLE: ("role", "grantRole")}
"""Type of resource -> its outputs that are names of roles."""


class Renames:
    """What a run renames, and the state as if everything already had its new name."""

    def __init__(self, stack: Stack, recorded: tuple[Recorded, ...], admin: Callable[[DatabaseStack], Access]) -> None:
        self.keys = _former_keys(stack, recorded)
        """service -> its old key, which the state still has"""
        self.recorded = _by_todays_keys(recorded, self.keys)
        """the state's resources with the names that they get in this run"""
        self._stack = stack
        self._admin = admin
        self._names: dict[postgresql.Role, pulumi.Output[str]] = {}
        self._placeholders: dict[tuple[str, int, str], DatabaseStack] = {}
        self._granted: dict[str, pulumi.Output[str]] = {}

    def options(self, service: str) -> pulumi.ResourceOptions | None:
        """The options that let Pulumi find the service's component and its children under the old key."""
        was = self.keys.get(service)
        return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=was)]) if was else None

    def roles(self, database: DatabaseStack) -> dict[str, str]:
        """Role -> its name on the database's server before this run, if that is another one."""
        made = {found.name: found for found in self.recorded if found.type == ROLE and not marked(found)}
        found = {login.role: made.get(on_server(f"{login_name(login)}-role", database)) for login in self._stack.logins}
        return {role: was.made for role, was in found.items() if was and was.made != role}

    def resume(self, databases: Iterable[DatabaseStack]) -> None:
        """Creates placeholders for roles that a killed run renamed on the servers but not in all of its grants.

        :raises Unreachable: a server could not be asked.
        :raises Refused: a server refuses to create a role.
        """
        if not any(login.formerly for login in self._stack.logins) or pulumi.runtime.is_dry_run():
            return
        known = {self._stack.server.user, PUBLIC, *(login.role for login in self._stack.logins)}
        known |= {role.name for role in self._stack.outside_roles}
        known |= {creator for schema in self._stack.existing_schemas for creator in schema.creators}
        known |= {found.made for found in self.recorded if found.type == ROLE}
        if lost := {name for found in self.recorded for name in _named(found)} - known:
            for database in databases:
                make_placeholders(self._admin(database), lost)
                self._placeholders |= {(*_server(database), name): database for name in lost}

    def refuse_under_way(self) -> None:
        """A move or a rotation can only be resumed or undone under the key with which it was begun.

        :raises Refused: a service with a new key has such a move or rotation on this machine.
        """
        stack = self._stack.name
        begun = {open_.login: open_.goes_on for open_ in under_way(stack, {})} if self.keys else {}
        for name, was in self.keys.items():
            left = (
                f"bin/engarde split finish {word(was)} --stack {word(stack)}" if journals.has_move(stack, was) else None
            )
            if goes_on := begun.get(was, left):
                raise Refused(
                    f"service {was} cannot be renamed to {name} yet, because a move or a rotation of {was} is not"
                    f" finished. Nothing was changed. Restore the old key and finish it first: `{goes_on}`"
                )

    def refuse_to_revoke(self, databases: Iterable[DatabaseStack], found: Iterable[ServerFacts]) -> None:
        """What a renamed role should lose in the same run would be revoked from its old name, and so not from the role.

        :raises Refused: the stack file declares both.
        """
        seen = [*zip(databases, found, strict=True)]
        if not any(self.roles(database) for database, _ in seen):
            return
        # A role belongs to its server, and may have privileges in each of its databases.
        declared = {
            name for database, its in seen for login in database.logins for name in self._declared(login, database, its)
        }
        for database, _ in seen:
            for role, was in self.roles(database).items():
                if lost := sorted(self._naming(was, database) - declared):
                    raise Refused(
                        f"role {was} cannot be renamed to {role} and lose grants in the same run. Nothing was changed."
                        " Run `up` with its old name first, until nothing changes any more. It would lose:"
                        f" {visible(', '.join(lost))}"
                    )

    def _naming(self, role: str, database: DatabaseStack) -> set[str]:
        """The names of the resources that grant to the role in the database, or that grant what it creates there."""
        found = {resource.name for resource in self.recorded if role in _named(resource)}
        return {name for name in found if is_in(name, database) or is_on_server(name, database)}

    def _declared(self, login: Service | Analytics, database: DatabaseStack, seen: ServerFacts) -> Iterator[str]:
        """The names, old and new, of the resources of the login's grants."""
        roles = self.roles(database)
        rows = tenant(database, login) if isinstance(login, Service) else reader(database, login)
        if isinstance(login, Service):
            things = [row for row in rows if row.table or row.function]
            granted = plan(login, database, things, seen, self.recorded, roles).granted
            rows = [*(row for row in rows if row not in things), *granted]
        for row in rows:
            yield name_of(login_name(login), row, database)
            yield from former_names(login_name(login), row, database, self.recorded, roles)

    def warn(self, databases: Iterable[DatabaseStack]) -> None:
        """Warns about renamed roles, and what changes for their users."""
        for role, was in sorted({names for database in databases for names in self.roles(database).items()}):
            pulumi.log.warn(
                f"role {was} is renamed to {role}: its open sessions stay, but new logins as {was} are refused until"
                " the URL with the new name is delivered"
            )

    def name(self, role: postgresql.Role, was: str | None, database: DatabaseStack) -> pulumi.Output[str]:
        """The role's name, once a placeholder has its old name `was`, from which grants are revoked."""
        if was is None or pulumi.runtime.is_dry_run():
            return role.name
        if role not in self._names:
            self._names[role] = role.name.apply(partial(self._hold, was, database))
            self._placeholders[(*_server(database), was)] = database
        return self._names[role]

    @told()
    def _hold(self, was: str, database: DatabaseStack, name: str) -> str:
        make_placeholders(self._admin(database), [was])
        return name

    def grants(self, resource: pulumi.Resource, names: Iterable[str]) -> None:
        """Records a grant that this run declares, with all names that it may have in the state."""
        self._granted |= dict.fromkeys(names, resource.urn)

    def finish(self, databases: Iterable[DatabaseStack]) -> None:
        """Drops the placeholders, once nothing more is revoked from them."""
        for (*_, was), database in self._placeholders.items():
            naming = {found.name for found in self.recorded if was in _named(found)}
            if naming - self._granted.keys():
                pulumi.log.warn(
                    f"role {was} was renamed, but this run still revokes grants from the old name, so a role {was} that"
                    " cannot log in stays behind. Drop it after this run:"
                    f" {statement('DROP OWNED BY {}', was)} {statement('DROP ROLE {}', was)}"
                )
                continue
            admins = [self._admin(other) for other in databases if _server(other) == _server(database)]
            done = pulumi.Output.all(*(self._granted[name] for name in naming))
            done.apply(partial(_drop, admins, was))


@told()
def _drop(admins: list[Access], was: str, _: object) -> None:
    drop_placeholder(admins, was)


def _server(database: DatabaseStack) -> tuple[str, int]:
    return database.server.host, database.server.port


def _former_keys(stack: Stack, recorded: Iterable[Recorded]) -> dict[str, str]:
    known = {found.name for found in recorded if found.type == TENANT}
    gone = (service for service in stack.services if service.name not in known)
    return {service.name: service.formerly for service in gone if service.formerly and service.formerly in known}


def _by_todays_keys(recorded: tuple[Recorded, ...], keys: dict[str, str]) -> tuple[Recorded, ...]:
    today = {was: name for name, was in keys.items()}
    # The longest first: names of service `a-b` begin with `a-`, too.
    services = sorted((found.name for found in recorded if found.type == TENANT), key=len, reverse=True)

    def renamed(name: str) -> str:
        key = next((key for key in services if name == key or name.startswith(f"{key}-")), "")
        return today.get(key, key) + name.removeprefix(key)

    return tuple(replace(found, name=renamed(found.name)) for found in recorded) if today else recorded


def _named(found: Recorded) -> set[str]:
    return {found.outputs.get(output) or PUBLIC for output in NAMING.get(found.type, ())}
