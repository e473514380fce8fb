"""One login role: its password, known to the state, and the verifier that the server is sent in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.database import Database
from components.role_settings import before
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.pulumi_cli.resource_names import placed_on_server
from engarde.server import scram
from engarde.server.urls import url

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
    salted_for = placed_on_server(declared.role, database.stack)
    salt = scram.salt(pulumi.get_project(), pulumi.get_stack(), salted_for, declared.rotation)
    wanted = declared.adopt or declared.role in database.taken_over
    adopted = wanted and declared.role in database.found.roles and left is None
    # One after another: each role's deletion takes it off the database's access list, and two at a time collide.
    made = postgresql.Role(
        placed_on_server(f"{name}-role", database.stack),
        name=left or declared.role,
        login=left is None,
        password=password.apply(lambda text: scram.verifier(text, salt)),
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
        database.settle(declared, made, before(name, database))
    return made
