"""Where the servers are: as the admin reaches them, and as services do."""

from typing import Annotated

from pydantic import Field

from engarde.declaration.declared import AdminHost, Declared, EachOnce, Port, ServerPlace, ServiceHost, SslMode
from engarde.declaration.names import DatabaseName, Identifier


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
    """disable, allow, prefer, require, verify-ca or verify-full; nothing is spelled when unset"""
    superuser: bool = True
    """true or false: whether the admin is a superuser"""
    connection_budget: Annotated[int, Field(ge=1)] | None = None
    """a whole number: what all connection limits together may reach"""
    close_other_databases: bool = False
    """true or false: whether PUBLIC also loses CONNECT on `postgres` and `template1`"""
    leaves: EachOnce[ServerPlace] = ()
    """a list of `HOST:PORT/DATABASE`: where the stack was and leaves rows, for this one change"""

    @property
    def place(self) -> str:
        """Where it is, as `leaves` says it."""
        return f"{self.host}:{self.port}/{self.database}"


class SharedServer(Server):
    """The server with the database that the services share."""

    protect: bool = False
    """true or false: the default of every service and of analytics"""


class Address(Declared):
    """Where services reach the server, when that is not where the admin does."""

    host: ServiceHost
    """a host name, an address or a reference `${{...}}`, without scheme, port or credentials"""
    port: Port = 5432
    """1 to 65535"""
    sslmode: SslMode | None = None
    """disable, allow, prefer, require, verify-ca or verify-full; nothing is spelled when unset"""


class Elsewhere(Server):
    """A database on another server, for services that have one of their own."""

    name: str
    service_address: Address | None = None
    """a map of host, port and sslmode: where services reach it; default: its host and port"""
    unpooled_address: Address | None = None
    """a map of host, port and sslmode: the server itself, where serviceAddress is a pooler's"""

    @property
    def services_reach(self) -> Address:
        """Where services reach it."""
        # Not its sslmode: that is the admin's, and any spelling of it breaks some driver of some service.
        return self.service_address or Address(host=self.host, port=self.port)
