"""The declared stack: one server, the services in it, who reads what. It holds no secret."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.address import UNSTATED, Address, Delivery, Elsewhere, Migrations, Railway, Server
from engarde.declaration.declared import Declared, EachOnce, StatusThresholds, Thresholds, UrlFormat
from engarde.declaration.grants import DeclaredExecute, DeclaredRead
from engarde.declaration.names import (
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
from engarde.declaration.parameters import Parameters

Table = tuple[str, str]
"""schema and name"""

ConnectionLimit = Annotated[int, Field(ge=1, le=100)]
Milliseconds = Annotated[int, Field(ge=0, le=2_147_483_647)]


class Login(Declared):
    """What a service and the analytics reader have in common: one login role."""

    connection_limit: ConnectionLimit = 10
    """1 to 100; 5 to 10 is the rule of thumb"""
    statement_timeout: Milliseconds = 0
    """milliseconds, 0 = none"""
    idle_in_transaction_session_timeout: Milliseconds = 60_000
    """milliseconds, 0 = none"""
    temp_file_limit: Annotated[int, Field(ge=0, le=2_097_151)] = 10_240
    """megabytes, 0 = none"""
    settings: Parameters = Parameters()
    """a map of PostgreSQL's settings, such as `work_mem: 16MB`"""
    rotation: Annotated[int, Field(ge=1)] = 1
    """a whole number from 1; a higher one means a new password"""
    protect: bool = False
    """true or false: whether Pulumi refuses to delete it"""
    adopt: bool = False
    """true or false: take over a role that exists"""
    formerly: Identifier | None = None
    """its former key or role, from which it is renamed"""
    url_format: UrlFormat = "plain"
    """the form of the exported URL: plain, options, sqlalchemy+DRIVER, node-postgres, prisma or jdbc"""
    railway: Delivery | None = None
    """a map of service and variables (names of letters, digits and _); default: DATABASE_URL of the service's name"""
    status: Thresholds | None = None
    """a map of thresholds: size, connections, slowStatement; default: engarde:status"""

    @property
    def on_railway(self) -> tuple[str, ...]:
        """The names of the Railway services that get its URLs."""
        return (self.railway or UNSTATED).services(self.name if isinstance(self, Service) else None)


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
    """a list of `database.schema`: old places where its rows stay behind, for this one change"""
    migrations: Migrations | None = None
    """a map of path, command, variable and urlFormat: its Alembic project"""

    @property
    def role(self) -> str:
        """The login role, which owns the schema."""
        return self.role_ or self.name + ROLE_SUFFIX


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


class ExistingSchema(Declared):
    """A schema that the stack neither creates nor drops."""

    name: SchemaName
    service: str | None = None
    """the name of the service that owns it"""
    creators: Annotated[EachOnce[Identifier], Field(min_length=1)]
    """a list of the roles that create its tables; default: the admin"""
    status: Thresholds | None = None
    """a map of thresholds: size, connections, slowStatement; default: engarde:status"""


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
    """A role that the stack neither creates nor drops, and all that it keeps when PUBLIC loses its privileges."""

    name: Identifier
    database: EachOnce[Literal["CONNECT", "TEMPORARY", "CREATE"]] = ("CONNECT", "TEMPORARY")
    """a list of CONNECT, TEMPORARY, CREATE"""
    schemas: dict[SchemaName, EachOnce[Literal["USAGE", "CREATE"]]] = Field(default_factory=dict)
    """existing schema: a list of USAGE, CREATE"""
    reads: tuple[DeclaredRead, ...] = ()
    """a list like a service's reads: tables in services' schemas and in existing ones"""


class ShutOut(Declared):
    roles: EachOnce[Identifier]
    """a list of roles"""


ACCEPTABLE = (
    "attributes, behaviour, code of others, connection limit, default privileges, event trigger, exported URL, grant,"
    " grant option, inheritance, login, membership, owner, owner's right, password, reach, read, role, row security,"
    " schema, security definer, session, setting, shadow, undeclared default privileges, undeclared grant, view"
)
"""The checks of `verify`, whose findings a stack file may accept."""


def _known(check: str) -> str:
    if check not in ACCEPTABLE.split(", "):
        raise PydanticCustomError("check", "is not a check of verify; allowed: {known}", {"known": ACCEPTABLE})
    return check


_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?: 00:00:00 \+0000 UTC)?")
"""Pulumi hands over a YAML date with midnight as its time."""


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(found[1]) if (found := _DAY.fullmatch(str(value))) else value
    except ValueError:
        return value


class Accepted(Declared):
    """One known finding that stays for a reason."""

    check: Annotated[str, AfterValidator(_known)]
    subject: Annotated[str, Field(min_length=1)]
    """the finding's subject, as verify prints it after the check"""
    reason: Annotated[str, Field(min_length=1)]
    """why it stays, in words"""
    until: Annotated[date, BeforeValidator(_day)]
    """the last day, YYYY-MM-DD; from the day after it is a finding again"""
    actual: Annotated[str, Field(min_length=1)] | None = None
    """what verify prints as actual; anything else is a finding"""
    database: str | None = None
    """its database, as the tool calls it, if the stack has more than one; default: any"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """The declarations of a whole stack, or of one of its databases."""

    services: tuple[Service, ...]
    existing_schemas: tuple[ExistingSchema, ...]
    analytics: Analytics | None
    extensions: tuple[Extension, ...]
    outside_roles: tuple[OutsideRole, ...]

    @property
    def logins(self) -> tuple[Service | Analytics, ...]:
        """Every login role that the stack creates, services first; in a database, those that have something there."""
        return (*self.services, *((self.analytics,) if self.analytics else ()))

    @property
    def schemas(self) -> tuple[str, ...]:
        """Every declared schema, the services' first."""
        return (*(service.schema_ for service in self.services), *(schema.name for schema in self.existing_schemas))

    def lets_make(self, schema: str, role: str) -> bool:
        return any(existing.name == schema and role in existing.creators for existing in self.existing_schemas)

    @property
    def analytics_schemas(self) -> tuple[str, ...]:
        """The schemas that analytics reads; none without analytics."""
        if self.analytics is None:
            return ()
        return self.schemas if self.analytics.schemas is None else self.analytics.schemas


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Declarations):
    """One stack file, checked as a whole by `engarde.declaration.loader.parse`."""

    name: str
    server: Server
    """the shared one"""
    service_address: Address
    """of the shared server"""
    unpooled_address: Address | None
    """the shared server itself, if the services' address is a pooler's"""
    railway: Railway | None
    status: StatusThresholds
    """the default thresholds"""
    shut_out: tuple[str, ...] = ()
    """login roles outside of the stack that lose their access when PUBLIC loses CONNECT"""
    other_servers: tuple[Elsewhere, ...] = ()
    """each with the database that services have on it"""
    accepted: tuple[Accepted, ...] = ()
    """findings of verify that stay for a reason"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStack:
    """What a stack has on one server: on the shared one, or on another one, where it has one database."""

    stack: Stack
    server: Server
    service_address: Address
    unpooled_address: Address | None
    """the server itself, if the services' address is a pooler's"""
    logins: tuple[Service | Analytics, ...]
    """every login role that the stack creates there, of all databases"""
    databases: frozenset[str]
    """the stack's, by their names on the server"""
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStack(Declarations):
    """What a stack has in one database: the shared one, or one of services' own.

    `analytics` has only the schemas that it reads there, if any.
    """

    stack: Stack
    server_stack: ServerStack
    server: Server
    """with this database; keys for the whole server, such as its budget, are only set with one of its databases"""
    label: str | None
    """the database as services state it; None for the shared one"""

    @property
    def name(self) -> str:
        return self.stack.name

    @property
    def service_address(self) -> Address:
        return self.server_stack.service_address

    @property
    def status(self) -> StatusThresholds:
        return self.stack.status

    @property
    def shut_out(self) -> tuple[str, ...]:
        return self.stack.shut_out

    @property
    def elsewhere(self) -> bool:
        return not self.server_stack.shared

    @property
    def server_wide(self) -> bool:
        """Whether everything that the databases of its server share is managed with this one."""
        return self.label is None or self.elsewhere

    @property
    def guests(self) -> frozenset[str]:
        """Those of its roles whose limits and passwords are managed with another database of this server."""
        return frozenset() if self.server_wide or self.analytics is None else frozenset({self.analytics.role})

    @property
    def neighbours(self) -> tuple[Service | Analytics, ...]:
        """The stack's other logins, which have nothing in this database; its server may have their roles."""
        here = {login.role for login in self.logins}
        return tuple(login for login in self.stack.logins if login.role not in here)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role of the stack, those without anything in this database last."""
        return tuple(login.role for login in (*self.logins, *self.neighbours))

    @property
    def siblings(self) -> frozenset[str]:
        """The stack's other databases on this server, by their names."""
        return self.server_stack.databases - {self.server.database}
