"""Who logs in where: one declared role with its password, at the operator's or the services' address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engarde.address import Address, Server
from engarde.declared import UrlFormat
from engarde.errors import ConfigError, Unreachable
from engarde.model import Stack
from engarde.names import ANALYTICS
from engarde.stack import admin_password, outputs
from engarde.urls import url

ADMIN = "admin"
From = Literal["operator", "service"]

REDIRECTING = ("PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGPASSFILE", "PGTARGETSESSIONATTRS")
"""Variables of libpq that would lead the session elsewhere or make it another one."""


@dataclass(frozen=True, slots=True)
class Access:
    """One login at one address."""

    address: Address | Server
    database: str
    role: str
    password: str
    form: UrlFormat = "plain"
    schema: str | None = None

    @property
    def url(self) -> str:
        """The URL in the form that the stack file asks for."""
        return url(self.form, self.address, self.database, self.role, self.password, self.schema)

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The environment in which libpq logs in so, and the password stands in no argument."""
        kept = {name: value for name, value in inherited.items() if name not in REDIRECTING}
        return kept | {
            "PGHOST": self.address.host,
            "PGPORT": str(self.address.port),
            "PGDATABASE": self.database,
            "PGUSER": self.role,
            "PGPASSWORD": self.password,
            "PGSSLMODE": self.address.sslmode or "prefer",
        }


def access(stack: Stack, who: str, where: From = "operator") -> Access:
    """The login of a service, of `analytics` or of `admin`.

    :raises ConfigError: no such service in the stack.
    :raises Unreachable: the engine does not know its password.
    """
    address = stack.server if where == "operator" else stack.service_address
    database = stack.server.database
    if who == ADMIN:
        return Access(address, database, stack.server.user, admin_password(stack.name))
    logins = {service.name: service for service in stack.services} | (
        {ANALYTICS: stack.analytics} if stack.analytics else {}
    )
    if who not in logins:
        raise ConfigError(f"{who} is not in stack {stack.name}; it has {', '.join([*logins, ADMIN])}")
    login = logins[who]
    password = outputs(stack.name).passwords.get(login.role)
    if password is None:
        raise Unreachable(f"{login.role} was not brought up yet; run `bin/pulumi up --stack {stack.name}`")
    schema = next((service.schema_ for service in stack.services if service.name == who), None)
    return Access(address, database, login.role, password, login.url_format, schema)
