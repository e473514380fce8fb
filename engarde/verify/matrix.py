"""Who gets at which schema, and how far: what a person sees first."""

from collections.abc import Iterable
from dataclasses import dataclass

from engarde.checks.closure import closure
from engarde.checks.memberships import reaching
from engarde.checks.naming import called
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding
from engarde.server.catalog import Catalog, Entry, Relation, Schema

WRITING = {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "MAINTAIN"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One role in one schema."""

    schema: str
    access: str
    """all, owns, writes, reads, `reads N`, enters or -"""
    as_declared: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One role, or PUBLIC."""

    role: str
    cells: tuple[Cell, ...]
    database: str = ""
    """as the tool calls it, where the stack has more than one"""


def matrix(stack: DatabaseStack, catalog: Catalog, findings: Iterable[Finding]) -> tuple[Row, ...]:
    """The stack's roles, those outside of it, those that reach it undeclared, and PUBLIC."""
    schemas = stack.schemas
    wrong = {frozenset({one, other}) for finding in findings for one in finding.concerns for other in finding.concerns}
    names = [login.role for login in stack.logins]
    names += [role.name for role in stack.outside_roles]
    names += [path.role for path in reaching(stack, catalog) if path.role not in names]
    grantees = {entry.grantee for entry in catalog.entries if entry.schema in schemas}
    names += sorted((grantees & catalog.roles.keys()) - {*names, stack.server.user})
    inside = {schema: _inside(schema, catalog) for schema in schemas}
    members, rows = closure(stack, catalog), []
    for name in [*names, PUBLIC]:
        acting = members.acts_as(name) | {PUBLIC}
        cells = (
            Cell(schema, _access(acting, within, catalog), frozenset({name, schema}) not in wrong)
            for schema, within in inside.items()
        )
        rows.append(Row(called(name), tuple(cells)))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Inside:
    """What there is in one schema."""

    schema: Schema | None
    entries: tuple[Entry, ...]
    tables: tuple[Relation, ...]
    later: frozenset[str | None]
    """who has default privileges in it"""


def _inside(name: str, catalog: Catalog) -> _Inside:
    return _Inside(
        catalog.schemas.get(name),
        tuple(entry for entry in catalog.entries if entry.schema == name),
        tuple(relation for relation in catalog.relations if relation.schema == name and relation.kind == "table"),
        frozenset(default.grantee for default in catalog.defaults if default.schema == name),
    )


def _access(acting: frozenset[str], inside: _Inside, catalog: Catalog) -> str:
    """In one word, what whoever may act as these roles does there."""
    if inside.schema is None or (not acting & catalog.roles.keys() and acting != {PUBLIC}):
        return "missing"
    if any(catalog.roles[role].superuser for role in acting & catalog.roles.keys()):
        return "all"
    if inside.schema.owner in acting:
        return "owns"
    rights = [entry for entry in inside.entries if entry.grantee in acting]
    read_all = "pg_read_all_data" in acting
    on_schema = {entry.right for entry in rights if entry.kind == "schema"}
    if "CREATE" in on_schema or any(entry.right in WRITING for entry in rights) or "pg_write_all_data" in acting:
        return "writes"
    if "USAGE" not in on_schema and not read_all:
        return "-"
    tables = {relation.identity for relation in inside.tables}
    read = {entry.identity for entry in rights if entry.kind == "table" and entry.right == "SELECT"}
    read |= {relation.identity for relation in inside.tables if relation.owner in acting}
    if read_all or (tables <= read and (tables or inside.later & acting)):
        return "reads"
    return f"reads {len(tables & read)}" if tables & read else "enters"
