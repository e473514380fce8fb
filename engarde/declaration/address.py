"""The addresses of servers, for the admin and for services, and where URLs go: to Railway, to an Alembic project."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared, EachOnce, SslMode, UrlFormat
from engarde.declaration.names import DatabaseName, Identifier

Port = Annotated[int, Field(ge=1, le=65535)]
AdminHost = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=253)]
ServiceHost = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9._:-]+|\$\{\{[A-Za-z0-9._ -]+\}\})$", max_length=253)
]
ServerPlace = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+:[0-9]{1,5}/.+$", max_length=400)]
"""A database, as `HOST:PORT/DATABASE`."""

DATABASE_URL = "DATABASE_URL"

RailwayName = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f](.*[^\s\x00-\x1f])?$", max_length=200)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]


class Server(Declared):
    """A PostgreSQL server and the database on it, as the admin reaches them."""

    host: AdminHost
    """a host name or an address, without scheme, port or credentials"""
    port: Port = 5432
    """1 to 65535"""
    database: DatabaseName
    """a database of the server; of engarde:server, the one that the services share"""
    user: Identifier = "postgres"
    """the admin's role"""
    sslmode: SslMode | None = None
    """disable, allow, prefer, require, verify-ca or verify-full; default: libpq's own"""
    superuser: bool = True
    """true or false: whether the admin is a superuser"""
    connection_budget: Annotated[int, Field(ge=1)] | None = None
    """a whole number: what all connection limits together may reach"""
    close_other_databases: bool = False
    """true or false: whether PUBLIC also loses CONNECT on `postgres` and `template1`"""
    leaves: EachOnce[ServerPlace] = ()
    """a list of `HOST:PORT/DATABASE`: old places where rows stay behind, for this one change"""

    @property
    def place(self) -> str:
        """Where it is, in the form of `leaves`."""
        return f"{self.host}:{self.port}/{self.database}"


class SharedServer(Server):
    """The server with the database that the services share."""

    protect: bool = False
    """true or false: the default of every service and of analytics"""


class Address(Declared):
    """The server's address for services, if it is not the admin's."""

    host: ServiceHost
    """a host name, an address or a reference `${{...}}`, without scheme, port or credentials"""
    port: Port = 5432
    """1 to 65535"""
    sslmode: SslMode | None = None
    """disable, allow, prefer, require, verify-ca or verify-full; default: not in the URLs"""


class Elsewhere(Server):
    """A database on another server, for services that have one of their own."""

    name: str
    service_address: Address | None = None
    """a map of host, port and sslmode: where services reach it; default: its host and port"""
    unpooled_address: Address | None = None
    """a map of host, port and sslmode: the server itself, if serviceAddress is a pooler's"""

    @property
    def services_reach(self) -> Address:
        # Not the admin's sslmode: whatever a URL has for it, it breaks some driver of some service.
        return self.service_address or Address(host=self.host, port=self.port)


def _one_or_more(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    # Strict validation takes lists only straight from JSON, not from what a validator hands on.
    return tuple(value) if isinstance(value, list) else value


class Railway(Declared):
    """The project and the environment in which the services run."""

    project: RailwayName
    """the project's name or its id"""
    environment: RailwayName
    """the environment's name, as Railway spells it"""


class Variable(Declared):
    """One variable that holds a URL of a login."""

    url_format: UrlFormat | None = None
    """the form of its URL; default: the urlFormat of the login"""
    unpooled: bool = False
    """true or false: whether it leads to engarde:unpooledAddress, past a pooler"""
    database: DatabaseName | None = None
    """for analytics: a service's own database; default: the shared one"""


class Delivery(Declared):
    """Where a login's URLs go."""

    service: Annotated[EachOnce[RailwayName], BeforeValidator(_one_or_more)] | None = None
    """the name of a Railway service, or a list of names, which may be empty; default: the name of the service"""
    variables: Annotated[dict[VariableName, Variable], Field(min_length=1)] = Field(
        default_factory=lambda: {DATABASE_URL: Variable()}
    )
    """variable: urlFormat and unpooled"""

    def services(self, default: str | None) -> tuple[str, ...]:
        """The names on Railway; `default` where the stack file states none."""
        return ((default,) if default else ()) if self.service is None else self.service


UNSTATED = Delivery()

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=4096)]


LIMITS = ("PGAPPNAME", "PGCONNECT_TIMEOUT", "PGOPTIONS")
"""Variables with which `migrate` limits and names the sessions of drivers that read libpq's variables."""


def _not_the_tools(name: str) -> str:
    if name in LIMITS:
        raise PydanticCustomError("tools", "is set by `migrate` itself, to limit its sessions")
    return name


def _not_the_operators(name: str) -> str:
    if name.startswith(("PULUMI_", "RAILWAY_")):
        raise PydanticCustomError("operators", "opens the state or Railway, so that a service's code never gets it")
    return name


Own = Annotated[VariableName, AfterValidator(_not_the_tools)]
Inherited = Annotated[Own, AfterValidator(_not_the_operators)]


class Migrations(Declared):
    """A service's Alembic project."""

    path: Text
    """the folder with its alembic.ini or pyproject.toml, relative to the stack file's folder"""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] = ("alembic",)
    """a list: the program that starts Alembic there, and its first arguments, such as [uv, run, alembic]"""
    variable: Own = DATABASE_URL
    """the environment variable from which it takes its URL"""
    url_format: UrlFormat | None = None
    """the form of that URL; default: the service's urlFormat"""
    environment: EachOnce[Inherited] = ()
    """names of variables that it also gets from the operator's environment, beside the usual ones"""
