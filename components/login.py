"""One login role: its password, known to the state, and the verifier that the server is sent in its place."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.shared_database import SharedDatabase
from engarde import scram
from engarde.model import Analytics, Service
from engarde.urls import url

PASSWORD_LENGTH = 32
"""Letters and digits only: 190 bits, and nothing that a URL, a shell or a configparser would read."""


@dataclass(frozen=True, slots=True)
class Login:
    """What the stack exports about a role."""

    role: postgresql.Role
    password: pulumi.Output[str]
    url: pulumi.Output[str]


def login(
    name: str,
    declared: Service | Analytics,
    shared: SharedDatabase,
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
    salt = scram.salt(pulumi.get_project(), pulumi.get_stack(), declared.role, declared.rotation)
    adopted = declared.adopt or declared.role in shared.taken_over
    # One after another: each role's deletion takes it off the database's access list, and two at a time collide.
    role = postgresql.Role(
        f"{name}-role",
        name=declared.role,
        login=True,
        password=generated.result.apply(lambda password: scram.verifier(password, salt)),
        connection_limit=declared.connection_limit,
        search_paths=search_path,
        statement_timeout=declared.statement_timeout,
        idle_in_transaction_session_timeout=declared.idle_in_transaction_session_timeout,
        opts=pulumi.ResourceOptions(
            parent=parent,
            provider=shared.provider,
            protect=declared.protect,
            import_=declared.role if adopted else None,
            depends_on=shared.earlier_roles,
        ),
    )
    shared.roles[declared.role] = role
    stack = shared.stack
    schema = declared.schema_ if isinstance(declared, Service) else None
    address = generated.result.apply(
        lambda password: url(
            declared.url_format, stack.service_address, stack.server.database, declared.role, password, schema
        )
    )
    return Login(role, generated.result, address)
