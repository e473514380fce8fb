"""Who may do what: the one table that the program grants and that `verify` compares with.

Owners' own privileges are not listed: PostgreSQL has them built in, and a grant to an owner always looks like drift.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engarde.declaration.grants import Read
from engarde.declaration.model import Analytics, DatabaseStack, OutsideRole, Service
from engarde.declaration.names import PUBLIC

CONNECT, TEMPORARY, CREATE, USAGE, SELECT = "CONNECT", "TEMPORARY", "CREATE", "USAGE", "SELECT"
REFERENCES, EXECUTE = "REFERENCES", "EXECUTE"
OTHER_DATABASES = ("postgres", "template1")


class On(StrEnum):
    DATABASE = "database"
    SCHEMA = "schema"
    TABLES = "tables that exist"
    SEQUENCES = "sequences that exist"
    TABLE = "one table"
    COLUMNS = "columns of one table"
    FUNCTION = "one function"
    ROLE = "membership in a role"
    FUTURE_TABLES = "tables made later"
    FUTURE_SEQUENCES = "sequences made later"
    FUTURE_FUNCTIONS = "functions made later"


@dataclass(frozen=True, slots=True)
class Privilege:
    """All privileges of one grantee on one thing; none means that the built-in ones are revoked."""

    grantee: str
    """a role, or `public` for PUBLIC"""
    on: On
    database: str
    rights: tuple[str, ...]
    schema: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()
    function: str | None = None
    """its name, bare, and its arguments' types"""
    creator: str | None = None
    """for future objects: the role that creates them"""
    role: str | None = None
    """for a membership: the role that the grantee may act as"""


def expected(stack: DatabaseStack) -> frozenset[Privilege]:
    """Everything that the stack grants or revokes."""
    rows = [*baseline(stack)]
    rows += [row for role in stack.outside_roles for row in (*outside(stack, role), *outside_reads(stack, role))]
    rows += [row for service in stack.services for row in tenant(stack, service)]
    return frozenset(rows + (reader(stack, stack.analytics) if stack.analytics else []))


def baseline(stack: DatabaseStack) -> list[Privilege]:
    """PUBLIC: nothing on the database, USAGE on `public`, and with `closeOtherDatabases` no CONNECT elsewhere."""
    database = stack.server.database
    elsewhere = OTHER_DATABASES if stack.server.close_other_databases else ()
    return [
        Privilege(PUBLIC, On.DATABASE, database, ()),
        Privilege(PUBLIC, On.SCHEMA, database, (USAGE,), schema=PUBLIC),
        *(Privilege(PUBLIC, On.DATABASE, other, ()) for other in elsewhere if other != database),
    ]


def outside(stack: DatabaseStack, role: OutsideRole) -> list[Privilege]:
    """The full set that an outside role keeps: a grant revokes all that is not listed."""
    database = stack.server.database
    return [
        Privilege(role.name, On.DATABASE, database, role.database),
        *(
            Privilege(role.name, On.SCHEMA, database, rights, schema=schema)
            for schema, rights in sorted(outside_schemas(stack, role).items())
        ),
    ]


def outside_schemas(stack: DatabaseStack, role: OutsideRole) -> dict[str, tuple[str, ...]]:
    """All privileges of such a role on existing schemas; a schema in which it reads counts as stated with USAGE."""
    existing = {existing_schema.name for existing_schema in stack.existing_schemas} - {PUBLIC}
    read_in = {read.schema_ for read in role.reads if read.schema_ in existing}
    rights: dict[str, tuple[str, ...]] = dict(role.schemas)
    for schema in read_in:
        rights[schema] = tuple(dict.fromkeys((*rights.get(schema, ()), USAGE)))
    return rights


def outside_reads(stack: DatabaseStack, role: OutsideRole) -> list[Privilege]:
    """What such a role reads, and USAGE on the services' schemas, which the stack creates first."""
    database, made = stack.server.database, {service.schema_ for service in stack.services}
    entered = sorted({read.schema_ for read in role.reads} & made)
    usage = [Privilege(role.name, On.SCHEMA, database, (USAGE,), schema=schema) for schema in entered]
    return usage + [row for read in role.reads for row in _read(role.name, database, read)]


def readings(stack: DatabaseStack) -> list[tuple[str, Read]]:
    """Each declared read, with its role."""
    of_services = [(service.role, read) for service in stack.services for read in service.reads]
    return of_services + [(role.name, read) for role in stack.outside_roles for read in role.reads]


def tenant(stack: DatabaseStack, service: Service) -> list[Privilege]:
    """A service: CONNECT, no EXECUTE for PUBLIC on its functions, an admin that may act as it, its reads and calls."""
    database = stack.server.database
    own = [
        Privilege(service.role, On.DATABASE, database, (CONNECT, TEMPORARY)),
        # Only without a schema: `IN SCHEMA ... REVOKE` leaves the built-in EXECUTE of PUBLIC in place.
        Privilege(PUBLIC, On.FUTURE_FUNCTIONS, database, (), creator=service.role),
    ]
    # DROP OWNED keeps privileges on other roles' objects, unless the role that runs it may act as their owners.
    acting = [] if stack.server.superuser else [Privilege(stack.server.user, On.ROLE, database, (), role=service.role)]
    foreign = sorted(beyond(service) - {PUBLIC})
    usage = [Privilege(service.role, On.SCHEMA, database, (USAGE,), schema=schema) for schema in foreign]
    reads = [row for read in service.reads for row in _read(service.role, database, read)]
    calls = [
        Privilege(service.role, On.FUNCTION, database, (EXECUTE,), schema=execute.schema_, function=execute.signature)
        for execute in service.executes
    ]
    return own + acting + usage + reads + calls


def beyond(service: Service) -> frozenset[str]:
    """The schemas of others in which a service reads or calls something."""
    return frozenset({read.schema_ for read in service.reads} | {execute.schema_ for execute in service.executes})


def _read(role: str, database: str, read: Read) -> Iterator[Privilege]:
    """What a declared read grants; a grant on columns has one privilege."""
    rights = (SELECT, REFERENCES) if read.references else (SELECT,)
    if read.columns is None:
        yield Privilege(role, On.TABLE, database, rights, schema=read.schema_, table=read.table)
        return
    for right in rights:
        yield Privilege(
            role, On.COLUMNS, database, (right,), schema=read.schema_, table=read.table, columns=read.columns
        )


def reader(stack: DatabaseStack, analytics: Analytics) -> list[Privilege]:
    """Analytics: CONNECT, and SELECT on everything that exists or is created later in every schema it reads."""
    role, database = analytics.role, stack.server.database
    rows = [Privilege(role, On.DATABASE, database, (CONNECT,))]
    for schema in stack.analytics_schemas:
        # PUBLIC has USAGE on `public`: one access list fewer that every role's grant would change.
        if schema != PUBLIC:
            rows.append(Privilege(role, On.SCHEMA, database, (USAGE,), schema=schema))
        rows.append(Privilege(role, On.TABLES, database, (SELECT,), schema=schema))
        rows.append(Privilege(role, On.SEQUENCES, database, (SELECT,), schema=schema))
        for creator in creators(stack, schema):
            for on in (On.FUTURE_TABLES, On.FUTURE_SEQUENCES):
                rows.append(Privilege(role, on, database, (SELECT,), schema=schema, creator=creator))
    return rows


def creators(stack: DatabaseStack, schema: str) -> tuple[str, ...]:
    """The roles that create tables in a declared schema: the service that owns it, or its declared creators."""
    for service in stack.services:
        if service.schema_ == schema:
            return (service.role,)
    return next((existing.creators for existing in stack.existing_schemas if existing.name == schema), ())


def readers(stack: DatabaseStack, schema: str) -> frozenset[str]:
    """The roles of the stack that are on a schema's access list without owning it."""
    analytics = {stack.analytics.role} if stack.analytics and schema in stack.analytics_schemas else set()
    return frozenset({service.role for service in stack.services if schema in beyond(service)} | analytics)
