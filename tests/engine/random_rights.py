"""Roles, objects and whatever they were given, by a seed; names with capitals, quotes, dashes, dots and 63 bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

LONG = "ü" * 31 + "x"
ROLES = ("Ada", "b-b", 'c"c', "d.d", LONG, "e e", "f")
SCHEMAS = ("One", 'two."2"')
ATTRIBUTES = ("NOINHERIT", "CREATEROLE", "BYPASSRLS")
PREDEFINED = ("pg_read_all_data", "pg_write_all_data", "pg_maintain", "pg_monitor", "pg_database_owner")


def quoted(*names: str) -> str:
    """A name as SQL has it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the test's, in GRANT's words and as somebody asks for it."""

    kind: str
    sql: str
    asked: str
    rights: tuple[str, ...]


TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")


def things(major: int) -> tuple[Thing, ...]:
    """Two schemas and what is in them, and the database."""
    one, two = SCHEMAS
    on_tables = (*TABLE, *(["MAINTAIN"] if major >= 17 else []))
    return (
        Thing("TABLE", quoted(one, "t.t"), f"{quoted(one)}.{quoted('t.t')}", on_tables),
        Thing("TABLE", quoted(two, LONG), f"{quoted(two)}.{LONG}", on_tables),
        Thing("TABLE", quoted(two, "v"), f"{quoted(two)}.v", on_tables),
        Thing("SEQUENCE", quoted(one, "Q"), f"{one}.Q", ("SELECT", "USAGE", "UPDATE")),
        Thing("FUNCTION", quoted(one, "f-f") + "(integer)", f"{one}.f-f(int)", ("EXECUTE",)),
        Thing("SCHEMA", quoted(one), one, ("USAGE", "CREATE")),
        Thing("SCHEMA", quoted(two), quoted(two), ("USAGE", "CREATE")),
        Thing("DATABASE", "railway", "railway", ("CONNECT", "CREATE", "TEMPORARY")),
    )


def made() -> Iterator[str]:
    """What is there before anything is given."""
    one, two = SCHEMAS
    for role in ROLES:
        yield f"CREATE ROLE {quoted(role)}"
    for schema in SCHEMAS:
        yield f"CREATE SCHEMA {quoted(schema)}"
    yield f'CREATE TABLE {quoted(one, "t.t")} ("Id" int, "a,b" text)'
    yield f'CREATE TABLE {quoted(two, LONG)} ("Id" int, "a,b" text)'
    yield f"CREATE VIEW {quoted(two, 'v')} AS SELECT * FROM {quoted(one, 't.t')}"
    yield f"CREATE SEQUENCE {quoted(one, 'Q')}"
    yield f"CREATE FUNCTION {quoted(one, 'f-f')}(integer) RETURNS int LANGUAGE sql AS 'SELECT 1'"


def gone() -> Iterator[str]:
    """Takes away everything of `made` and what it was given."""
    for schema in SCHEMAS:
        yield f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE"
    for role in ROLES:
        yield f"REASSIGN OWNED BY {quoted(role)} TO postgres"
        yield f"DROP OWNED BY {quoted(role)} CASCADE"
    for role in ROLES:
        yield f"DROP ROLE {quoted(role)}"


def given(random: Random, major: int, count: int) -> list[str]:
    """Grants, memberships, owners and attributes; the server refuses some of them."""
    found = [f"ALTER ROLE {quoted(random.choice(ROLES))} {attribute}" for attribute in ATTRIBUTES]
    if random.random() < 0.4:
        found.append(f"ALTER ROLE {quoted(random.choice(ROLES))} SUPERUSER")
    while len(found) < count:
        found += _one(random, major)
    return found


def _one(random: Random, major: int) -> list[str]:
    thing = random.choice(things(major))
    role, other = random.sample(ROLES, 2)
    grantee = "PUBLIC" if random.random() < 0.05 else quoted(role)
    right = random.choice(thing.rights)
    choice = random.random()
    if choice < 0.3:
        inside = quoted(random.choice(PREDEFINED) if random.random() < 0.08 else other)
        options = [f"{each} {random.choice(('TRUE', 'FALSE'))}" for each in ("INHERIT", "SET", "ADMIN")]
        return [f"GRANT {inside} TO {quoted(role)}{' WITH ' + ', '.join(options) if major >= 16 else ''}"]
    if choice < 0.4:
        return [f"REVOKE {quoted(other)} FROM {quoted(role)} CASCADE"]
    if choice < 0.5:
        return [f"ALTER {thing.kind} {thing.sql} OWNER TO {quoted(role)}"]
    if choice < 0.6 and thing.kind == "TABLE":
        column = random.choice(("Id", "a,b"))
        return [f"GRANT {random.choice(COLUMN)} ({quoted(column)}) ON {thing.sql} TO {grantee}"]
    if choice < 0.8:
        return [f"REVOKE {right} ON {thing.kind} {thing.sql} FROM {grantee} CASCADE"]
    if choice < 0.85:
        option = [f"GRANT {right} ON {thing.kind} {thing.sql} TO {quoted(role)} WITH GRANT OPTION"]
        return [
            *option,
            f"SET ROLE {quoted(role)}",
            f"GRANT {right} ON {thing.kind} {thing.sql} TO {quoted(other)}",
            "RESET ROLE",
        ]
    return [f"GRANT {right} ON {thing.kind} {thing.sql} TO {grantee}"]
