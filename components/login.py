"""One login role: its password, the verifier that the server is sent in its place, and its settings.

The plugin cannot give a role every setting, so that the program sets some itself. A preview shows them, and the state
remembers them, in the inputs of the component that the role belongs to: another declaration is a change of the
component. Where the declaration is the state's and the server has something else, the number of repairs goes up, which
is a change as well: in a preview as in the `up` that repairs it, and in none after that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.database import Database
from components.engine import Recorded
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.pulumi_cli.resource_names import on_server
from engarde.pulumi_cli.state import READER, TENANT
from engarde.server import role_settings
from engarde.server.credentials import scram_salt, scram_verifier, url

SETTINGS = "roleSettings"
REPAIRS = "roleSettingsRepairs"
PASSWORD_LENGTH = 32
"""Letters and digits only: 190 bits, and nothing that a URL, a shell or a configparser would read."""


@dataclass(frozen=True, slots=True)
class Login:
    """What the stack exports about a role."""

    declared: Service | Analytics
    role: postgresql.Role
    """where it is at home"""
    password: pulumi.Output[str]
    home: DatabaseStack

    @property
    def url(self) -> pulumi.Output[str]:
        """With which it logs in at home."""
        return self.url_in(self.home)

    def url_in(self, database: DatabaseStack) -> pulumi.Output[str]:
        """With which it logs in to the database."""
        login, address, name = self.declared, database.service_address, database.server.database
        schema = login.schema_ if isinstance(login, Service) else None
        return self.password.apply(lambda password: url(login.url_format, address, name, login.role, password, schema))


def login(
    name: str,
    declared: Service | Analytics,
    database: Database,
    parent: pulumi.Resource,
    search_path: list[str] | None = None,
) -> Login:
    """The role with its limits, able to log in and to do nothing else."""
    generated = random.RandomPassword(
        f"{name}-password",
        length=PASSWORD_LENGTH,
        special=False,
        keepers={"rotation": str(declared.rotation)},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    made = role(name, declared, database, parent, generated.result, search_path)
    return Login(declared, made, generated.result, database.stack)


def role(
    name: str,
    declared: Service | Analytics,
    database: Database,
    parent: pulumi.Resource,
    password: pulumi.Output[str],
    search_path: list[str] | None = None,
    *,
    left: str | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> postgresql.Role:
    """The role on one server; one that was `left` under its name only owns what it has there, and leaves the state."""
    # Of its own on each server: whoever runs one of them could log in to the other with what it has of this one.
    salted_for = on_server(declared.role, database.stack)
    salt = scram_salt(pulumi.get_project(), pulumi.get_stack(), salted_for, declared.rotation)
    wanted = declared.adopt or declared.role in database.taken_over
    adopted = wanted and declared.role in database.found.roles and left is None
    # One after another: each role's deletion takes it off the database's access list, and two at a time collide.
    made = postgresql.Role(
        on_server(f"{name}-role", database.stack),
        name=left or declared.role,
        login=left is None,
        password=password.apply(lambda text: scram_verifier(text, salt)),
        connection_limit=declared.connection_limit,
        search_paths=search_path,
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
        database.settle(declared, made, _settings_before(name, database))
    return made


def settings_inputs(
    name: str, declared: Service | Analytics, databases: Iterable[Database], recorded: Iterable[Recorded], kind: str
) -> dict[str, object]:
    """The inputs of the component of this name and kind, whose role is on the servers of these databases."""
    there = list(databases)
    settings = {
        on_server(f"{name}-role", database.stack): role_settings.declared(declared, database.stack.server)
        for database in there
    }
    before = next((found.outputs for found in recorded if (found.name, found.type) == (name, kind)), None)
    if before is None:
        return {SETTINGS: settings, REPAIRS: 0}
    # A run that did not end has left no outputs, whatever it has set.
    drifted = before.get(SETTINGS, settings) == settings and any(_drifted(declared, database) for database in there)
    return {SETTINGS: settings, REPAIRS: int(before.get(REPAIRS) or 0) + drifted}


def _settings_before(name: str, database: Database) -> frozenset[str]:
    """The settings that the last run has set for the role of the component of this name, on the database's server."""
    place = on_server(f"{name}-role", database.stack)
    return frozenset(
        setting
        for found in database.recorded
        if found.name == name and found.type in (TENANT, READER)
        for setting in (found.outputs.get(SETTINGS) or {}).get(place) or {}
    )


def _drifted(declared: Service | Analytics, database: Database) -> bool:
    found = database.found
    return declared.role in found.roles and bool(
        role_settings.changes(declared, database.stack.server, found.settings.get(declared.role, {}))
    )
