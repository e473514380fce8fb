"""One login role: its password, the verifier that the server gets instead of it, and its settings.

The provider cannot set every setting of a role, so the program sets some itself. They are inputs of the role's
component, so a preview shows them and the state remembers them: a changed declaration is a change of the component. If
the declaration is the same but the server has other settings, the number of repairs goes up, which is a change, too: in
a preview and in the `up` that repairs it, and not after that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.database import Database
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.resource_names import SUFFIX, login_name, on_server
from engarde.pulumi_cli.state import READER, TENANT
from engarde.server import role_settings
from engarde.server.credentials import scram_salt, scram_verifier, url

SETTINGS = "roleSettings"
REPAIRS = "roleSettingsRepairs"
PASSWORD_LENGTH = 32
"""Letters and digits only: 190 bits, and nothing that is special in a URL, a shell or a configparser."""


@dataclass(frozen=True, slots=True)
class Login:
    """What the stack exports about a role."""

    declared: Service | Analytics
    role: postgresql.Role
    """the one on its home server"""
    password: pulumi.Output[str]
    home: DatabaseStack

    @property
    def url(self) -> pulumi.Output[str]:
        return self.url_in(self.home)

    def url_in(self, database: DatabaseStack) -> pulumi.Output[str]:
        """The URL for this database."""
        login, address, name = self.declared, database.service_address, database.server.database
        schema = login.schema_ if isinstance(login, Service) else None
        return self.password.apply(lambda password: url(login.url_format, address, name, login.role, password, schema))


def login(declared: Service | Analytics, database: Database, parent: pulumi.Resource) -> Login:
    """The role with its limits, able to log in and to do nothing else."""
    generated = random.RandomPassword(
        f"{login_name(declared)}{SUFFIX}",
        length=PASSWORD_LENGTH,
        special=False,
        keepers={"rotation": str(declared.rotation)},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return Login(declared, role(declared, database, parent, generated.result), generated.result, database.stack)


def role(
    declared: Service | Analytics,
    database: Database,
    parent: pulumi.Resource,
    password: pulumi.Output[str],
    *,
    left: str | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> postgresql.Role:
    """The role on one server; `left` is the name of one that stays there without a login and leaves the state."""
    # Another salt on each server: otherwise the verifier of one server would be valid on the other.
    salted_for = on_server(declared.role, database.stack)
    salt = scram_salt(pulumi.get_project(), pulumi.get_stack(), salted_for, declared.rotation)
    wanted = declared.adopt or declared.role in database.taken_over
    adopted = wanted and declared.role in database.found.roles and left is None
    name = _role_name(declared, database)
    # One after another: each role's deletion changes the database's access list, and two at a time collide.
    made = postgresql.Role(
        name,
        name=left or declared.role,
        login=left is None,
        password=password.apply(lambda text: scram_verifier(text, salt)),
        connection_limit=declared.connection_limit,
        search_paths=[declared.schema_, PUBLIC] if isinstance(declared, Service) else None,
        statement_timeout=declared.statement_timeout,
        idle_in_transaction_session_timeout=declared.idle_in_transaction_session_timeout,
        opts=pulumi.ResourceOptions(
            parent=parent,
            provider=database.provider,
            protect=declared.protect and left is None,
            retain_on_delete=left is not None,
            import_=declared.role if adopted else None,
            depends_on=[*database.earlier_roles, *after],
        ),
    )
    database.roles[declared.role] = made
    if left is None:
        # The settings that the last run set.
        before = (_recorded(declared, database) or {}).get(SETTINGS) or {}
        database.settle(declared, made, frozenset(before.get(name) or ()))
    return made


def settings_inputs(declared: Service | Analytics, databases: Sequence[Database]) -> dict[str, object]:
    """The inputs of the login's component; its role is on the servers of these databases, the first is its home."""
    settings = {
        _role_name(declared, database): role_settings.declared(declared, database.stack.server)
        for database in databases
    }
    before = _recorded(declared, databases[0])
    if before is None:
        return {SETTINGS: settings, REPAIRS: 0}
    # An unfinished run left no outputs, even if it set something.
    drifted = before.get(SETTINGS, settings) == settings and any(
        role_settings.changes(declared, database.stack.server, database.found.settings.get(declared.role, {}))
        for database in databases
        if declared.role in database.found.roles
    )
    return {SETTINGS: settings, REPAIRS: int(before.get(REPAIRS) or 0) + drifted}


def _role_name(declared: Service | Analytics, database: Database) -> str:
    return on_server(f"{login_name(declared)}-role", database.stack)


def _recorded(declared: Service | Analytics, database: Database) -> Mapping[str, Any] | None:
    """The outputs of the login's component after the last run."""
    of = (login_name(declared), TENANT if isinstance(declared, Service) else READER)
    return next((found.outputs for found in database.recorded if (found.name, found.type) == of), None)
