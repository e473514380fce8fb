"""The declared stack: one server, the services in it, who reads what. It holds no secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from engarde.accepted import Accepted
from engarde.address import Address, Elsewhere, Server
from engarde.declared import (
    ConnectionLimit,
    DatabaseRight,
    Declared,
    EachOnce,
    Megabytes,
    Milliseconds,
    Rotation,
    SchemaRight,
    UrlFormat,
)
from engarde.delivery import UNSTATED, Delivery, Railway
from engarde.executes import DeclaredExecute
from engarde.migrations import Migrations
from engarde.names import (
    PUBLIC,
    READER,
    ROLE_SUFFIX,
    DatabaseName,
    Identifier,
    ManagedSchemaName,
    PlaceName,
    RelationName,
    RoleName,
    SchemaName,
)
from engarde.parameters import Parameters
from engarde.reads import DeclaredRead
from engarde.thresholds import StatusThresholds, Thresholds

Table = tuple[str, str]
"""schema and name"""


class Login(Declared):
    """What a service and the analytics reader have in common: one login role."""

    connection_limit: ConnectionLimit = 10
    """1 to 100; 5 to 10 is the rule of thumb"""
    statement_timeout: Milliseconds = 0
    """milliseconds, 0 = none"""
    idle_in_transaction_session_timeout: Milliseconds = 60_000
    """milliseconds, 0 = none"""
    temp_file_limit: Megabytes = 10_240
    """megabytes, 0 = none"""
    settings: Parameters = Parameters()
    """a map of PostgreSQL's settings, such as `work_mem: 16MB`"""
    rotation: Rotation = 1
    """a whole number from 1; a higher one means a new password"""
    protect: bool = False
    """true or false: whether the engine refuses to delete it"""
    adopt: bool = False
    """true or false: take over a role that exists"""
    formerly: Identifier | None = None
    """the key or the role that it had before, and is renamed from"""
    url_format: UrlFormat = "plain"
    """the form of the exported URL: plain, options, sqlalchemy+DRIVER, node-postgres or jdbc"""
    railway: Delivery | None = None
    """a map of service and variables, whose names are letters, digits and _; default: DATABASE_URL of its namesake"""
    status: Thresholds | None = None
    """a map of size, connections, slowStatement: from when on it is too much; default: engarde:status"""


class Service(Login):
    """One service: a schema, the role that owns it, and what it reads elsewhere."""

    name: str
    schema_: ManagedSchemaName = Field(alias="schema")
    """a schema name of its own; default: the service's name"""
    role_: RoleName | None = Field(default=None, alias="role")
    """a role name of its own on the whole server; default: the service's name with _user"""
    database: DatabaseName | None = None
    """a database of its own: its name on the shared server, or a key of engarde:databases; default: the shared one"""
    reads: tuple[DeclaredRead, ...] = ()
    """a list of `schema.table` or `{table: schema.table, columns: [...], references: true}`"""
    executes: tuple[DeclaredExecute, ...] = ()
    """a list of `schema.function(types)`, the types of its arguments between commas"""
    leaves: EachOnce[PlaceName] = ()
    """a list of `database.schema`: places that it leaves with rows in them, for this one change"""
    migrations: Migrations | None = None
    """a map of path, command, variable and urlFormat: its Alembic project"""

    @property
    def role(self) -> str:
        """The login role, which owns the schema."""
        return self.role_ or self.name + ROLE_SUFFIX

    @property
    def on_railway(self) -> tuple[str, ...]:
        """The names of the Railway services that get its URLs."""
        return (self.railway or UNSTATED).services(self.name)


class Analytics(Login):
    """The reader of everything declared, now and in future."""

    role: RoleName = READER
    """a role name of its own on the whole server; it owns nothing"""
    connection_limit: ConnectionLimit = 5
    """1 to 100"""
    statement_timeout: Milliseconds = 300_000
    """milliseconds, 0 = none"""
    schemas: Annotated[EachOnce[SchemaName], Field(min_length=1)] | None = None
    """a list of declared schemas; default: every one"""

    @property
    def on_railway(self) -> tuple[str, ...]:
        """The names of the Railway services that get its URLs."""
        return (self.railway or UNSTATED).services(None)


class ExistingSchema(Declared):
    """A schema that the stack neither makes nor drops."""

    name: SchemaName
    service: str | None = None
    """the name of whose it is"""
    creators: Annotated[EachOnce[Identifier], Field(min_length=1)]
    """a list of the roles that make its tables; default: the admin"""
    status: Thresholds | None = None
    """a map of size, connections, slowStatement: from when on it is too much; default: engarde:status"""


class Extension(Declared):
    """An extension that a database must have; it outlives the stack."""

    name: RelationName
    schema_: SchemaName = Field(default=PUBLIC, alias="schema")
    """the schema its objects are in"""
    version: str | None = None
    """a version; default: the server's default"""
    databases: Annotated[EachOnce[DatabaseName], Field(min_length=1)] | None = None
    """a list of databases, as services name them; default: the shared one"""


class OutsideRole(Declared):
    """A role that the stack neither makes nor drops, with all it keeps once PUBLIC has lost its rights."""

    name: Identifier
    database: EachOnce[DatabaseRight] = ("CONNECT", "TEMPORARY")
    """a list of CONNECT, TEMPORARY, CREATE"""
    schemas: dict[SchemaName, EachOnce[SchemaRight]] = Field(default_factory=dict)
    """existing schema: a list of USAGE, CREATE"""
    reads: tuple[DeclaredRead, ...] = ()
    """a list as a service's: what it reads in services' schemas and existing ones"""


class ShutOut(Declared):
    """The roles that are shut out on purpose."""

    roles: EachOnce[Identifier]
    """a list of roles"""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack file, checked as a whole by `engarde.stackfile.parse`."""

    name: str
    server: Server
    service_address: Address
    unpooled_address: Address | None
    """the server itself, where the services' address is a pooler's"""
    services: tuple[Service, ...]
    existing_schemas: tuple[ExistingSchema, ...]
    analytics: Analytics | None
    extensions: tuple[Extension, ...]
    outside_roles: tuple[OutsideRole, ...]
    railway: Railway | None
    status: StatusThresholds
    """what is too much of anything that states nothing else"""
    shut_out: tuple[str, ...] = ()
    """login roles outside of the stack that lose their way in with what PUBLIC loses"""
    databases: tuple[Elsewhere, ...] = ()
    """on other servers"""
    accepted: tuple[Accepted, ...] = ()
    """findings of verify that stay for a reason"""
    label: str | None = None
    """of a part of a stack (`engarde.parts`): its database, unless that is the shared one"""
    elsewhere: bool = False
    """of a part: whether it is on another server"""
    guests: frozenset[str] = frozenset()
    """of a part: those of its roles whose limits and passwords another part on this server looks after"""
    neighbours: tuple[Service | Analytics, ...] = ()
    """of a part: the stack's other logins, which have nothing in this database; its server may have their roles"""
    siblings: frozenset[str] = frozenset()
    """of a part: the stack's other databases on this server"""

    @property
    def logins(self) -> tuple[Service | Analytics, ...]:
        """Every login role the stack makes, services first."""
        return (*self.services, *((self.analytics,) if self.analytics else ()))

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role of the stack, those without anything in this database last."""
        return tuple(login.role for login in (*self.logins, *self.neighbours))

    @property
    def server_wide(self) -> bool:
        """Whether this is the part that looks after what all databases of its server have in common."""
        return self.label is None or self.elsewhere

    @property
    def schemas(self) -> tuple[str, ...]:
        """Every declared schema, the services' first."""
        return (*(service.schema_ for service in self.services), *(each.name for each in self.existing_schemas))

    def lets_make(self, schema: str, role: str) -> bool:
        """Whether the role is declared to make tables in a schema that exists."""
        return any(each.name == schema and role in each.creators for each in self.existing_schemas)

    @property
    def analytics_schemas(self) -> tuple[str, ...]:
        """The schemas that analytics reads; none without analytics."""
        if self.analytics is None:
            return ()
        return self.schemas if self.analytics.schemas is None else self.analytics.schemas
