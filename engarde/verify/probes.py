"""What each role tries after login, and how the server must answer.

The owner of a relation decides what code runs when somebody reads or writes it, or only plans a query. So probes of
other roles' relations do only what the server refuses before it looks at the relation, and what runs no code if it is
allowed: lock it in a mode that blocks nobody, alter or drop it, read a sequence's value. All other privileges are
looked up in the catalogs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.declaration.grants import Read
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import REFERENCES, beyond
from engarde.server.catalog import Catalog, Relation
from engarde.util.quoting import quoted

DENIED, ALLOWED = "42501", "00000"
NOT_YET = "55000"
"""The answer of `currval` to a role that may use it, if its session has taken no value yet."""

WRITES = ("INSERT", "UPDATE")
NOT_TABLES = (*WRITES, REFERENCES)
"""Privileges on single columns that a lock does not test, beside SELECT."""

READ_ONLY = "SET LOCAL transaction_read_only = on"
"""Precedes what a rollback would not undo; the server checks the privilege first."""


ROLES_PATH = "SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path'"
"""Precedes statements with names without a schema: sessions of the tool start in pg_catalog."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Statements to run in order; either the last one must be refused for lack of a privilege, or all are allowed."""

    schema: str | None
    """None for the whole database"""
    statements: tuple[str, ...]
    expected: str = DENIED
    role: str | None = None
    """the role that tries the last one; None for the role of the session"""


@dataclass(frozen=True, slots=True)
class Right:
    """One privilege on another role's table, as the catalogs have it."""

    schema: str
    table: str
    identity: str
    right: str
    column: str | None
    """None for any column, and for the whole table"""
    expected: str = DENIED

    def __str__(self) -> str:
        where = f"column {quoted(self.column)} of " if self.column else ""
        return f"{self.right} on {where}{self.identity}"


def of(login: Service | Analytics, stack: DatabaseStack, catalog: Catalog, mark: str) -> list[Probe | Right]:
    """All probes of one role; `mark` is the name of everything that they make."""
    own = login.schema_ if isinstance(login, Service) else None
    probes: list[Probe | Right] = [*_database(login, stack, catalog, mark)]
    probes += _own(login, mark) if isinstance(login, Service) else []
    for schema in catalog.schemas.values():
        if schema.name != own and not (schema.provided and schema.name not in stack.schemas):
            probes += _elsewhere(login, schema.name, stack, catalog, mark)
    return probes


def _database(login: Service | Analytics, stack: DatabaseStack, catalog: Catalog, mark: str) -> Iterator[Probe]:
    yield Probe(None, (f"CREATE SCHEMA {mark}",))
    yield Probe(None, (f"CREATE ROLE {mark}",))
    yield Probe(None, ("SELECT pg_read_file('PG_VERSION')",))
    temporary = ALLOWED if isinstance(login, Service) else DENIED
    yield Probe(None, (f"CREATE TEMPORARY TABLE {mark} (word text)",), temporary)
    for other in [stack.server.user, *stack.roles]:
        if other != login.role and other in catalog.roles:
            yield Probe(None, (f"SET LOCAL ROLE {quoted(other)}",))


def _own(service: Service, mark: str) -> Iterator[Probe]:
    """In its own schema, to which names without a schema must lead."""
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


def _elsewhere(
    login: Service | Analytics, schema: str, stack: DatabaseStack, catalog: Catalog, mark: str
) -> Iterator[Probe | Right]:
    name = quoted(schema)
    yield Probe(schema, (f"CREATE TABLE {name}.{mark} ()",))
    yield Probe(schema, (f"DROP SCHEMA {name} CASCADE",))
    inside = [relation for relation in catalog.relations if relation.schema == schema and not relation.provided]
    reads = _reads(login, schema)
    if isinstance(login, Analytics) and schema in stack.analytics_schemas:
        yield from _read_only(schema, inside)
        return
    table = next((relation for relation in inside if relation.stored and relation.name not in reads), None)
    enters = schema == PUBLIC or (isinstance(login, Service) and schema in beyond(login))
    if table or not enters:
        yield Probe(schema, (_lock(table.identity if table else f"{name}.{mark}", READ),))
        yield from _no_write(schema, table.identity if table else f"{name}.{mark}")
        yield from _no_column(table, ("SELECT", *NOT_TABLES)) if table else ()
    sequence = next((relation for relation in inside if relation.kind == "sequence"), None)
    if sequence or not enters:
        yield from _no_sequence(schema, sequence.identity if sequence else f"{name}.{mark}")
    for relation in inside:
        if relation.name in reads and relation.stored:
            yield from _declared(schema, relation, reads[relation.name])


def _reads(login: Service | Analytics, schema: str) -> dict[str, Read]:
    """The tables of the schema that it is declared to read."""
    declared = login.reads if isinstance(login, Service) else ()
    return {read.table: read for read in declared if read.schema_ == schema}


READ, WRITE = "ACCESS SHARE", "ROW EXCLUSIVE"
"""Lock modes that block no reader and no writer. SELECT allows the first; any of INSERT, UPDATE, DELETE and TRUNCATE
allows the second, and from PostgreSQL 16 on also the first."""


def _lock(table: str, mode: str) -> str:
    return f"LOCK TABLE ONLY {table} IN {mode} MODE NOWAIT"


def _no_write(schema: str, table: str) -> Iterator[Probe]:
    yield Probe(schema, (_lock(table, WRITE),))
    yield Probe(schema, (f"ALTER TABLE {table} ADD COLUMN engarde_probe integer",))
    yield Probe(schema, (f"DROP TABLE {table} CASCADE",))


def _no_column(table: Relation, rights: tuple[str, ...]) -> Iterator[Right]:
    for right in rights:
        yield Right(table.schema, table.name, table.identity, right, None)


def _no_sequence(schema: str, sequence: str) -> Iterator[Probe]:
    yield Probe(schema, (f"SELECT currval('{_literal(sequence)}')",))
    yield from _no_next(schema, sequence)


def _no_next(schema: str, sequence: str) -> Iterator[Probe]:
    yield Probe(schema, (READ_ONLY, f"SELECT nextval('{_literal(sequence)}')"))
    yield Probe(schema, (READ_ONLY, f"SELECT setval('{_literal(sequence)}', 1)"))


def _declared(schema: str, table: Relation, read: Read) -> Iterator[Probe | Right]:
    """A declared read: only its columns, and no writes; foreign keys if they are declared."""
    yield Probe(schema, (_lock(table.identity, READ),), DENIED if read.columns else ALLOWED)
    # No statement tests REFERENCES without a trace or a lock.
    by_column = (("SELECT",) if read.columns else ()) + ((REFERENCES,) if read.references else ())
    for right in by_column:
        for column in table.columns:
            allowed = ALLOWED if read.columns is None or column in read.columns else DENIED
            yield Right(schema, table.name, table.identity, right, column, allowed)
    yield from _no_write(schema, table.identity)
    yield from _no_column(table, WRITES if read.references else NOT_TABLES)


def _read_only(schema: str, inside: list[Relation]) -> Iterator[Probe | Right]:
    """Analytics in a schema that it reads: one table and one sequence as samples; the grants on all are compared."""
    for table in [relation for relation in inside if relation.stored][:1]:
        yield Probe(schema, (_lock(table.identity, READ),), ALLOWED)
        yield from _no_write(schema, table.identity)
        yield from _no_column(table, NOT_TABLES)
    for sequence in [relation for relation in inside if relation.kind == "sequence"][:1]:
        yield Probe(schema, (f"SELECT currval('{_literal(sequence.identity)}')",), NOT_YET)
        yield from _no_next(schema, sequence.identity)


def _literal(identity: str) -> str:
    return identity.replace("'", "''")


def of_new_things(
    stack: DatabaseStack, catalog: Catalog, mark: str, creators: list[tuple[str, str]], may_act_as: frozenset[str]
) -> list[Probe]:
    """What the admin tries as two roles: one makes something, and analytics or a reader uses it at once.

    :param creators: schemas, each with a role that may make tables in it.
    """
    probes = []
    for schema, creator in creators:
        inside = f"{quoted(schema)}.{mark}"
        maker = _acting(creator, stack, may_act_as)
        made = (*maker, f"CREATE TABLE {inside} (id serial, word text)")
        function = (*maker, f"CREATE FUNCTION {inside}() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        if stack.analytics and schema in stack.analytics_schemas and stack.analytics.role in catalog.roles:
            role = stack.analytics.role
            reader = _acting(role, stack, may_act_as)
            selected = (f"SELECT word FROM {inside}", f"SELECT last_value FROM {quoted(schema)}.{mark}_id_seq")
            inserted = f"INSERT INTO {inside} (word) VALUES ('a')"
            probes.append(Probe(schema, (*made, *reader, *selected), ALLOWED, role))
            probes.append(Probe(schema, (*made, *reader, inserted), role=role))
            if any(service.role == creator for service in stack.services):
                probes.append(Probe(schema, (*function, *reader, f"SELECT {inside}()"), role=role))
        for service in stack.services:
            if service.schema_ != schema and _reads(service, schema) and service.role in catalog.roles:
                other = _acting(service.role, stack, may_act_as)
                probes.append(Probe(schema, (*made, *other, f"SELECT word FROM {inside}"), role=service.role))
    return probes


def _acting(role: str, stack: DatabaseStack, may_act_as: frozenset[str]) -> tuple[str, ...]:
    """The admin becomes the role; if it only manages the role, it first becomes a member for this transaction."""
    own = quoted(stack.server.user)
    member = () if role in may_act_as else (f"GRANT {quoted(role)} TO {own}",)
    return ("RESET ROLE", *member, f"SET LOCAL ROLE {quoted(role)}")
