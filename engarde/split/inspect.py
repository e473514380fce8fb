"""Both databases of a move, as their catalogs show them: reads no row, and opens no session of the service."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace

from engarde.backup.inspect import FoundTable, needed_by, needs, owner_of
from engarde.backup.inventory import Edge, Owned
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import MAINTENANCE, VERSION_TABLE
from engarde.errors import LoginRefused
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.functions import Extension, refuse_citus, refuse_event_triggers
from engarde.server.session import Session, session
from engarde.util.quoting import literal, quoted


@dataclass(frozen=True, slots=True)
class Source:
    """The database in which a service is now."""

    major: int
    encoding: str
    collate: str
    ctype: str
    provider: str | None
    """`i` for ICU, `b` for the server's own; None before PostgreSQL 15"""
    locale: str | None
    """of these two providers"""
    bytes: int
    """of the tables with their indexes"""
    rows: int
    """an estimate"""
    large_objects: list[int]
    prepared: int
    """prepared transactions of the role that were neither committed nor rolled back"""


@dataclass(frozen=True, slots=True)
class Contents:
    """A service's schema, and its large objects."""

    schema: str
    source: Source
    tables: tuple[str, ...]
    forced: tuple[str, ...]
    """the tables whose row security also applies to their owner"""
    sequences: int
    kinds: tuple[tuple[str, int], ...]
    """the number of all other objects, by the server's word for their kind"""
    extensions: tuple[Extension, ...]
    """those that the schema needs"""
    needs: tuple[Edge, ...]
    """what the schema needs outside of itself, except extensions"""
    needed_by: tuple[Edge, ...]

    @property
    def version_table(self) -> str | None:
        """Alembic's version table, if there is one."""
        return VERSION_TABLE if VERSION_TABLE in self.tables else None


def contents(asked: Session, service: Service) -> Contents:
    """The contents now, as the admin sees them.

    :raises Refused: the schema does not exist, or it is on several servers.
    """
    schema = service.schema_
    refuse_citus(asked)
    owner_of(asked, schema)
    # With this search_path, PostgreSQL prints names with their schemas.
    asked.execute_file("backup_pinned")
    [source] = asked.query("split_source", Source, schema=schema, role=service.role)
    tables = asked.query("backup_tables", FoundTable, schema=schema)
    counted = Counter(item.kind for item in asked.query("backup_contents", Owned, schema=schema))
    return Contents(
        schema,
        source,
        tuple(table.name for table in tables),
        tuple(table.name for table in tables if table.forced),
        len(asked.values("backup_sequences", schema=schema)),
        tuple(sorted((kind, count) for kind, count in counted.items() if kind not in ("table", "sequence"))),
        *needs(asked, schema),
        needed_by(asked, schema),
    )


@dataclass(frozen=True, slots=True)
class TargetServer:
    major: int
    may_create: bool
    """the admin may create databases"""
    encoding: str | None
    """of the database; None if it does not exist"""
    owns: bool
    """the admin owns the database, or may act as its owner"""
    role_there: bool


@dataclass(frozen=True, slots=True)
class Occupied:
    """What a service has in a database already."""

    owner: str | None
    """of its schema; None if the schema does not exist"""
    inside: int
    """the number of the schema's objects"""
    owned: int
    """the number of the role's objects outside of the schema"""
    schemas: list[str]
    """all schemas of the database"""
    numbers_of: list[str]
    """the owners of large objects that have the same numbers as the service's"""


@dataclass(frozen=True, slots=True)
class Target:
    server: TargetServer
    offered: frozenset[str]
    """extensions that the admin can create"""
    extensions: tuple[Extension, ...] = ()
    """those that the database has"""
    held: Occupied | None = None
    """None if the database does not exist"""
    missing: tuple[Edge, ...] = ()
    """what the service needs outside of its schema and the database does not have"""

    @property
    def there(self) -> bool:
        """Whether the database exists."""
        return self.held is not None


def look(new: DatabaseStack, role: str, found: Contents) -> Target:
    """The database into which a service moves, and its server.

    :raises Unreachable: the server does not answer.
    :raises Refused: event triggers there would run code that others may change.
    """
    admin = login_of_admin(new)
    try:
        with session(admin) as asked:
            refuse_event_triggers(asked, new.server.user)
            numbers, needs = found.source.large_objects, json.dumps(list(map(asdict, found.needs)))
            [held] = asked.query("split_held", Occupied, role=role, schema=found.schema, numbers=numbers)
            there = tuple(asked.query("backup_extensions", Extension))
            missing = tuple(asked.query("backup_missing", Edge, needs=needs))
            return Target(server(asked, new, role), frozenset(asked.values("split_offered")), there, held, missing)
    except LoginRefused as refusal:
        if f'database "{new.server.database}" does not exist' not in refusal.reason:
            raise
    with session(replace(admin, database=MAINTENANCE)) as asked:
        return Target(server(asked, new, role), frozenset(asked.values("split_offered")), missing=found.needs)


def server(asked: Session, new: DatabaseStack, role: str) -> TargetServer:
    """What the session's server knows of the database and of the role."""
    [found] = asked.query("split_server", TargetServer, database=new.server.database, role=role)
    return found


def create(found: Contents, name: str, owner: str | None = None) -> str:
    """The statement that creates a database like the old one."""
    source = found.source
    words = [
        f"CREATE DATABASE {quoted(name)}",
        *([f"OWNER {quoted(owner)}"] if owner else []),
        f"TEMPLATE template0 ENCODING {literal(source.encoding)}",
        f"LC_COLLATE {literal(source.collate)} LC_CTYPE {literal(source.ctype)}",
    ]
    if source.provider == "i" and source.locale:
        words.append(f"LOCALE_PROVIDER icu ICU_LOCALE {literal(source.locale)}")
    if source.provider == "b" and source.locale:
        words.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(source.locale)}")
    return " ".join(words)
