"""The logins that a stack declares, with the passwords that Pulumi's state and configuration hold."""

from collections.abc import Sequence
from typing import Literal

from engarde.declaration.databases import database_of, display_name, find
from engarde.declaration.model import Analytics, DatabaseStack, Service, Stack
from engarde.declaration.resource_names import ADMIN, logins_by_name
from engarde.errors import ConfigError, Unreachable
from engarde.pulumi_cli.state import Outputs, admin_password, outputs
from engarde.server.credentials import Access
from engarde.util.unknown import UnknownName

From = Literal["operator", "service"]


def access(stack: Stack, who: str, where: From = "operator", database: str | None = None) -> Access:
    """The login of a service, of `analytics` or of `admin`; of these two, to the shared database unless one is named.

    :raises ConfigError: no such service in the stack, or it does not use this database.
    :raises Unreachable: its password is not in the state.
    """
    if who == ADMIN:
        return login_of_admin(find(stack, database), where)
    logins = logins_by_name(stack)
    if who not in logins:
        raise UnknownName(f"stack {stack.name}", "login", [who], [*logins, ADMIN])
    login = logins[who]
    there = database_of(stack, login) if database is None else find(stack, database)
    if login.role not in {known.role for known in there.logins}:
        raise ConfigError(f"{who} does not use database {display_name(there)} of stack {stack.name}")
    return login_to(there, login, password_of(stack, login, outputs(stack.name)), where)


def accesses(stack: Stack, services: Sequence[Service], known: Outputs) -> list[Access]:
    """The login of each service, from the outputs of the stack.

    :raises Unreachable: a password is not in the state.
    """
    return [login_to(database_of(stack, service), service, password_of(stack, service, known)) for service in services]


def of_services(database: DatabaseStack, known: Outputs | None = None) -> dict[str, Access]:
    """Role -> login, of the services in the database whose passwords are in the state.

    :param known: the stack's outputs; without them Pulumi is asked.
    :raises Unreachable: no Pulumi, no passphrase, or nothing brought up yet.
    """
    passwords = (known or outputs(database.name)).passwords
    return {
        service.role: login_to(database, service, passwords[service.role])
        for service in database.services
        if service.role in passwords
    }


def password_of(stack: Stack, login: Service | Analytics, known: Outputs) -> str:
    """The login's password, as these outputs have it.

    :raises Unreachable: it is not in the state yet.
    """
    if (password := known.passwords.get(login.role)) is None:
        raise Unreachable(f"role {login.role} is not in the state yet; run `bin/pulumi up --stack {stack.name}`")
    return password


def login_to(database: DatabaseStack, login: Service | Analytics, password: str, where: From = "operator") -> Access:
    address = database.server if where == "operator" else database.service_address
    schema = login.schema_ if isinstance(login, Service) else None
    return Access(address, database.server.database, login.role, password, login.url_format, schema)


def login_of_admin(database: DatabaseStack, where: From = "operator") -> Access:
    """The admin's login to the database.

    :raises Unreachable: no Pulumi or no passphrase.
    """
    address = database.server if where == "operator" else database.service_address
    password = admin_password(database.name, database.label if database.elsewhere else None)
    return Access(address, database.server.database, database.server.user, password)
