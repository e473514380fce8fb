"""Where the server is: as the admin reaches it, and as services do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engarde.declared import AdminHost, Declared, Port, ServiceHost, SslMode
from engarde.names import DatabaseName, Identifier


class Server(Declared):
    """The PostgreSQL server as the admin reaches it."""

    host: AdminHost
    """a host name or an address, without scheme, port or credentials"""
    port: Port = 5432
    """1 to 65535"""
    database: DatabaseName
    """the database that the services share"""
    user: Identifier = "postgres"
    """the admin's role"""
    sslmode: SslMode | None = None
    """disable, allow, prefer, require, verify-ca or verify-full; nothing is spelled when unset"""
    superuser: bool = True
    """true or false: whether the admin is a superuser"""
    protect: bool = False
    """true or false: the default of every service and of analytics"""
    connection_budget: Annotated[int, Field(ge=1)] | None = None
    """a whole number: what all connection limits together may reach"""
    close_other_databases: bool = False
    """true or false: whether PUBLIC also loses CONNECT on `postgres` and `template1`"""


class Address(Declared):
    """Where services reach the server, when that is not where the admin does."""

    host: ServiceHost
    """a host name, an address or a reference `${{...}}`, without scheme, port or credentials"""
    port: Port = 5432
    """1 to 65535"""
    sslmode: SslMode | None = None
    """disable, allow, prefer, require, verify-ca or verify-full; nothing is spelled when unset"""
