"""What each role tries after logging in, and what the server has to say to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.catalog import Catalog
from engarde.catalog.rows import Relation
from engarde.model import Analytics, Service, Stack
from engarde.names import PUBLIC
from engarde.quoting import quoted

DENIED, ALLOWED = "42501", "00000"

READ_ONLY = "SET LOCAL transaction_read_only = on"
"""Before what a rollback would not take back; the server asks for the privilege first."""


ROLES_PATH = "SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path'"
"""Before what shows where names without a schema lead: a session of ours starts in pg_catalog."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Statements to be run in a row, of which the last is refused for want of a privilege, or all are allowed."""

    schema: str | None
    """where; none for the whole database"""
    statements: tuple[str, ...]
    expected: str = DENIED

    @property
    def last(self) -> str:
        """What it is about."""
        return self.statements[-1]


def of(login: Service | Analytics, stack: Stack, catalog: Catalog, mark: str) -> list[Probe]:
    """All that one role tries; `mark` is the name of whatever it makes."""
    own = login.schema_ if isinstance(login, Service) else None
    probes = [*_database(login, stack, catalog, mark)]
    probes += _own(login, mark) if isinstance(login, Service) else []
    for schema in catalog.schemas.values():
        if schema.name != own and not (schema.provided and schema.name not in stack.schemas):
            probes += _elsewhere(login, schema.name, stack, catalog, mark)
    return probes


def _database(login: Service | Analytics, stack: Stack, catalog: Catalog, mark: str) -> Iterator[Probe]:
    yield Probe(None, (f"CREATE SCHEMA {mark}",))
    yield Probe(None, (f"CREATE ROLE {mark}",))
    yield Probe(None, ("SELECT pg_read_file('PG_VERSION')",))
    temporary = ALLOWED if isinstance(login, Service) else DENIED
    yield Probe(None, (f"CREATE TEMPORARY TABLE {mark} (word text)",), temporary)
    for other in [stack.server.user, *stack.roles]:
        if other != login.role and other in catalog.roles:
            yield Probe(None, (f"SET LOCAL ROLE {quoted(other)}",))


def _own(service: Service, mark: str) -> Iterator[Probe]:
    """In its own schema, where names without one have to lead."""
    inside = f"{quoted(service.schema_)}.{mark}"
    steps = (
        ROLES_PATH,
        f"CREATE TABLE {mark} (id serial PRIMARY KEY, word text)",
        f"INSERT INTO {inside} (word) VALUES ('a')",
        f"SELECT word FROM {mark}",
        f"UPDATE {mark} SET word = 'b'",
        f"ALTER TABLE {mark} ADD COLUMN number integer",
        f"CREATE VIEW {mark}_view AS SELECT id FROM {mark}",
        f"CREATE TYPE {mark}_type AS ENUM ('a')",
        f"CREATE FUNCTION {mark}() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        f"SELECT {mark}()",
        f"TRUNCATE {mark}",
        f"DROP TABLE {inside} CASCADE",
    )
    yield Probe(service.schema_, steps, ALLOWED)


def _elsewhere(login: Service | Analytics, schema: str, stack: Stack, catalog: Catalog, mark: str) -> Iterator[Probe]:
    name = quoted(schema)
    yield Probe(schema, (f"CREATE TABLE {name}.{mark} ()",))
    yield Probe(schema, (f"DROP SCHEMA {name} CASCADE",))
    inside = [each for each in catalog.relations if each.schema == schema and not each.provided]
    reads = _reads(login, schema)
    if isinstance(login, Analytics) and schema in stack.analytics_schemas:
        yield from _read_only(schema, inside)
        return
    table = next((each for each in inside if each.stored and each.name not in reads), None)
    enters = schema == PUBLIC or reads
    if table or not enters:
        yield from _no_read(schema, table.identity if table else f"{name}.{mark}")
        yield from _no_write(schema, table.identity if table else f"{name}.{mark}", table)
    sequence = next((each for each in inside if each.kind == "sequence"), None)
    if sequence or not enters:
        yield from _no_sequence(schema, sequence.identity if sequence else f"{name}.{mark}")
    for each in inside:
        if each.name in reads and each.stored:
            yield from _declared(schema, each, reads[each.name])


def _reads(login: Service | Analytics, schema: str) -> dict[str, tuple[str, ...] | None]:
    """The tables of the schema that it is declared to read, each with its only readable columns."""
    declared = login.reads if isinstance(login, Service) else ()
    return {read.table: read.columns for read in declared if read.schema_ == schema}


def _no_read(schema: str, table: str) -> Iterator[Probe]:
    yield Probe(schema, (f"SELECT 1 FROM {table} LIMIT 0",))


def _no_write(schema: str, table: str, known: Relation | None) -> Iterator[Probe]:
    column = quoted(known.columns[0] if known and known.columns else "word")
    for statement in (
        f"INSERT INTO {table} SELECT WHERE false",
        f"DELETE FROM {table} WHERE false",
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} ADD COLUMN engarde_probe integer",
        f"DROP TABLE {table} CASCADE",
    ):
        yield Probe(schema, (statement,))
    if known is None or known.columns:
        yield Probe(schema, (f"UPDATE {table} SET {column} = DEFAULT WHERE false",))


def _no_sequence(schema: str, sequence: str) -> Iterator[Probe]:
    yield Probe(schema, (f"SELECT last_value FROM {sequence}",))
    yield Probe(schema, (READ_ONLY, f"SELECT nextval('{_literal(sequence)}')"))


def _declared(schema: str, table: Relation, columns: tuple[str, ...] | None) -> Iterator[Probe]:
    """A declared read: these columns, no others, and no writing."""
    named = ", ".join(map(quoted, columns or ())) or "*"
    yield Probe(schema, (f"SELECT {named} FROM {table.identity} LIMIT 0",), ALLOWED)
    if columns and set(table.columns) - set(columns):
        yield Probe(schema, (f"SELECT * FROM {table.identity} LIMIT 0",))
    yield from _no_write(schema, table.identity, table)


def _read_only(schema: str, inside: list[Relation]) -> Iterator[Probe]:
    """Analytics, in a schema that it reads: one table and one sequence stand for all, whose grants are compared."""
    for table in [each for each in inside if each.stored][:1]:
        yield Probe(schema, (f"SELECT 1 FROM {table.identity} LIMIT 0",), ALLOWED)
        yield from _no_write(schema, table.identity, table)
    for sequence in [each for each in inside if each.kind == "sequence"][:1]:
        yield Probe(schema, (f"SELECT last_value FROM {sequence.identity}",), ALLOWED)
        yield Probe(schema, (READ_ONLY, f"SELECT nextval('{_literal(sequence.identity)}')"))


def _literal(identity: str) -> str:
    return identity.replace("'", "''")


@dataclass(frozen=True, slots=True)
class Creator:
    """A role that may make tables in a schema."""

    schema: str
    role: str


def of_new_things(
    stack: Stack, catalog: Catalog, mark: str, creators: list[Creator], may_act_as: frozenset[str]
) -> list[Probe]:
    """What the admin tries in the place of two roles: what one has just made, analytics and readers meet at once."""
    probes = []
    for schema, creator in ((each.schema, each.role) for each in creators):
        inside = f"{quoted(schema)}.{mark}"
        made = (
            *_acting(creator, stack, may_act_as),
            f"CREATE TABLE {inside} (id serial, word text)",
        )
        function = (
            *_acting(creator, stack, may_act_as),
            f"CREATE FUNCTION {inside}() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        )
        if stack.analytics and schema in stack.analytics_schemas and stack.analytics.role in catalog.roles:
            reader = _acting(stack.analytics.role, stack, may_act_as)
            selected = (f"SELECT word FROM {inside}", f"SELECT last_value FROM {quoted(schema)}.{mark}_id_seq")
            probes.append(Probe(schema, (*made, *reader, *selected), ALLOWED))
            probes.append(Probe(schema, (*made, *reader, f"INSERT INTO {inside} (word) VALUES ('a')")))
            if any(service.role == creator for service in stack.services):
                probes.append(Probe(schema, (*function, *reader, f"SELECT {inside}()")))
        for service in stack.services:
            if service.schema_ != schema and _reads(service, schema) and service.role in catalog.roles:
                other = _acting(service.role, stack, may_act_as)
                probes.append(Probe(schema, (*made, *other, f"SELECT word FROM {inside}")))
    return probes


def _acting(role: str, stack: Stack, may_act_as: frozenset[str]) -> tuple[str, ...]:
    """The admin becomes the role; where it only manages the role, it makes itself a member for this transaction."""
    own = quoted(stack.server.user)
    member = () if role in may_act_as else (f"GRANT {quoted(role)} TO {own}",)
    return ("RESET ROLE", *member, f"SET LOCAL ROLE {quoted(role)}")
