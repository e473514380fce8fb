"""Who gets at which schema, and how far: what a person sees first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engarde.catalog import Catalog
from engarde.findings import Finding
from engarde.model import Stack
from engarde.names import PUBLIC
from engarde.verify.hands import acting_as
from engarde.verify.members import reaching

WRITING = {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"}


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


def matrix(stack: Stack, catalog: Catalog, findings: Iterable[Finding]) -> tuple[Row, ...]:
    """The stack's roles, those outside of it, those that reach it undeclared, and PUBLIC."""
    schemas = [service.schema_ for service in stack.services] + [each.name for each in stack.existing_schemas]
    wrong = {frozenset({one, other}) for each in findings for one in each.concerns for other in each.concerns}
    names = [login.role for login in stack.logins]
    names += [role.name for role in stack.outside_roles]
    names += [way.role for way in reaching(stack, catalog) if way.role not in names]
    strangers = {
        entry.grantee for entry in catalog.entries if entry.schema in schemas and entry.grantee in catalog.roles
    }
    names += sorted(strangers - {*names, stack.server.user})
    rows = []
    for name in [*names, PUBLIC]:
        cells = [
            Cell(schema, _access(stack, name, schema, catalog), frozenset({name, schema}) not in wrong)
            for schema in dict.fromkeys(schemas)
        ]
        rows.append(Row("PUBLIC" if name == PUBLIC else name, tuple(cells)))
    return tuple(rows)


def _access(stack: Stack, name: str, schema: str, catalog: Catalog) -> str:
    if schema not in catalog.schemas or (name != PUBLIC and name not in catalog.roles):
        return "missing"
    acting = acting_as(name, stack, catalog) | {PUBLIC}
    if any(catalog.roles[each].superuser for each in acting if each in catalog.roles):
        return "all"
    if catalog.schemas[schema].owner in acting:
        return "owns"
    rights = [entry for entry in catalog.entries if entry.schema == schema and entry.grantee in acting]
    read_all = "pg_read_all_data" in acting
    on_schema = {entry.right for entry in rights if entry.kind == "schema"}
    if "CREATE" in on_schema or any(entry.right in WRITING for entry in rights) or "pg_write_all_data" in acting:
        return "writes"
    if "USAGE" not in on_schema and not read_all:
        return "-"
    tables = {each.identity for each in catalog.relations if each.schema == schema and each.kind == "table"}
    read = {entry.identity for entry in rights if entry.kind == "table" and entry.right == "SELECT"}
    read |= {each.identity for each in catalog.relations if each.schema == schema and each.owner in acting}
    later = any(each.schema == schema and each.grantee in acting for each in catalog.defaults)
    if read_all or (tables <= read and (later or tables)):
        return "reads"
    return f"reads {len(tables & read)}" if tables & read else "enters"
