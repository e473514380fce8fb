"""Which entries the server's access lists must have, by the declaration."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import SELECT, On, Privilege, expected
from engarde.server.catalog import Catalog, Entry, Relation
from engarde.server.functions import spelled_in


@dataclass(frozen=True, slots=True)
class Right:
    """One privilege of one grantee on one thing."""

    kind: str
    identity: str
    """as SQL names it"""
    grantee: str
    right: str
    column: str | None = None
    schema: str | None = None
    owner: str = field(default="", compare=False)


def right_of(entry: Entry) -> Right:
    """What an entry of an access list gives."""
    return Right(entry.kind, entry.identity, entry.grantee, entry.right, entry.column, entry.schema, entry.owner)


def wanted(stack: DatabaseStack, catalog: Catalog) -> frozenset[Right]:
    """Every entry that must exist; without missing objects and roles, and without an owner's own privileges."""
    inside: dict[str | None, list[Relation]] = defaultdict(list)
    for relation in catalog.relations:
        inside[relation.schema].append(relation)
    rows = expected(spelled_in(stack, catalog.functions))
    there = [row for row in rows if row.grantee == PUBLIC or row.grantee in catalog.roles]
    return frozenset(right for row in there for right in _of(row, catalog, inside[row.schema]))


def tolerated(stack: DatabaseStack, catalog: Catalog) -> frozenset[Right]:
    """Entries that may exist: a grant on all tables includes those of extensions, which may have come after it."""
    if stack.analytics is None:
        return frozenset()
    return frozenset(
        Right(relation.kind, relation.identity, stack.analytics.role, SELECT, schema=relation.schema)
        for relation in catalog.relations
        if relation.provided and relation.schema in stack.analytics_schemas
    )


def _of(row: Privilege, catalog: Catalog, inside: list[Relation]) -> Iterator[Right]:
    for right in row.rights:
        if row.on is On.DATABASE:
            database = catalog.databases.get(row.database)
            if database and database.owner != row.grantee:
                yield Right("database", database.identity, row.grantee, right, owner=database.owner)
        elif row.on is On.SCHEMA:
            schema = catalog.schemas.get(row.schema or "")
            if schema and schema.owner != row.grantee:
                yield Right("schema", schema.identity, row.grantee, right, None, schema.name, schema.owner)
        elif row.on is On.FUNCTION:
            named = (row.schema, row.function)
            for found in catalog.functions.values():
                if (found.schema, found.signature) == named and found.owner != row.grantee:
                    yield Right("function", found.identity, row.grantee, right, None, found.schema, found.owner)
        else:
            yield from (
                Right(relation.kind, relation.identity, row.grantee, right, column, relation.schema, relation.owner)
                for relation in _relations(row, inside)
                if relation.owner != row.grantee
                for column in (row.columns or (None,))
                if column is None or column in relation.columns
            )


def _relations(row: Privilege, inside: list[Relation]) -> Iterator[Relation]:
    """Of a row on tables or sequences: those that exist."""
    kinds = {On.TABLES: "table", On.SEQUENCES: "sequence", On.TABLE: "table", On.COLUMNS: "table"}
    for relation in inside:
        named = relation.name == row.table if row.table else not relation.provided
        if named and relation.kind == kinds.get(row.on):
            yield relation
