"""The result of a run, and how it is printed: the access of each role, warnings, findings."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType

from engarde.checks.closure import closure
from engarde.checks.judging import Taken
from engarde.checks.memberships import reaching
from engarde.checks.naming import called
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding
from engarde.output.layout import Either, Table, Text
from engarde.output.show import as_data, listed
from engarde.server.catalog import Catalog, Entry, Relation

WRITING = {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "MAINTAIN"}

MANY = 8
"""If a role is as declared in more schemas than this, the list counts them and does not name them."""


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


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has found."""

    stack: str
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    matrix: tuple[Row, ...]
    logins: int
    """how many roles it logged in as"""
    probes: int
    """how many probes they tried"""
    by_catalog: int
    """how many more privileges their sessions asked the server about"""
    accepted: tuple[Taken, ...] = ()
    """findings that the stack file accepts"""
    service: str | None = None
    """if it is about one service only"""


def matrix(stack: DatabaseStack, catalog: Catalog, findings: Iterable[Finding]) -> tuple[Row, ...]:
    """The stack's roles, outside roles, undeclared roles that reach it, and PUBLIC."""
    schemas = stack.schemas
    wrong = {frozenset({one, other}) for finding in findings for one in finding.concerns for other in finding.concerns}
    names = [login.role for login in stack.logins]
    names += [role.name for role in stack.outside_roles]
    names += [path.role for path in reaching(stack, catalog) if path.role not in names]
    grantees = {entry.grantee for entry in catalog.entries if entry.schema in schemas}
    names += sorted((grantees & catalog.roles.keys()) - {*names, stack.server.user})
    # Grouped by schema once, because the catalogs are large.
    entries: dict[str | None, list[Entry]] = defaultdict(list)
    for entry in catalog.entries:
        entries[entry.schema].append(entry)
    tables: dict[str, list[Relation]] = defaultdict(list)
    for relation in catalog.relations:
        tables[relation.schema] += [relation] if relation.kind == "table" else []
    members, rows = closure(stack, catalog), []
    for name in [*names, PUBLIC]:
        acting = members.acts_as(name) | {PUBLIC}
        cells = (
            Cell(
                schema,
                _access(acting, schema, catalog, entries[schema], tables[schema]),
                frozenset({name, schema}) not in wrong,
            )
            for schema in schemas
        )
        rows.append(Row(called(name), tuple(cells)))
    return tuple(rows)


def _access(
    acting: frozenset[str], schema: str, catalog: Catalog, entries: Iterable[Entry], tables: Iterable[Relation]
) -> str:
    """In one word, what somebody who may act as these roles can do in a schema with these entries and tables."""
    if schema not in catalog.schemas or (not acting & catalog.roles.keys() and acting != {PUBLIC}):
        return "missing"
    if any(catalog.roles[role].superuser for role in acting & catalog.roles.keys()):
        return "all"
    if catalog.schemas[schema].owner in acting:
        return "owns"
    rights = [entry for entry in entries if entry.grantee in acting]
    read_all = "pg_read_all_data" in acting
    on_schema = {entry.right for entry in rights if entry.kind == "schema"}
    if "CREATE" in on_schema or any(entry.right in WRITING for entry in rights) or "pg_write_all_data" in acting:
        return "writes"
    if "USAGE" not in on_schema and not read_all:
        return "-"
    every = {relation.identity for relation in tables}
    read = {entry.identity for entry in rights if entry.kind == "table" and entry.right == "SELECT"}
    read |= {relation.identity for relation in tables if relation.owner in acting}
    later = {default.grantee for default in catalog.defaults if default.schema == schema}
    if read_all or (every <= read and (every or later & acting)):
        return "reads"
    return f"reads {len(every & read)}" if every & read else "enters"


def as_json(report: Report) -> dict[str, object]:
    return dict(
        stack=report.stack,
        asDeclared=not report.findings,
        loginsTried=report.logins,
        probesTried=report.probes,
        privilegesChecked=report.by_catalog,
        matrix=[
            {
                "role": row.role,
                "schemas": {cell.schema: {"access": cell.access, "asDeclared": cell.as_declared} for cell in row.cells},
                "database": row.database or None,
            }
            for row in report.matrix
        ],
        warnings=list(report.warnings),
        findings=[as_data(finding) for finding in report.findings],
        accepted=[
            {**as_data(accepted.finding), "reason": accepted.by.reason, "until": str(accepted.by.until)}
            for accepted in report.accepted
        ],
    )


def as_text(report: Report) -> RenderableType:
    shown: list[RenderableType] = []
    for database in dict.fromkeys(row.database for row in report.matrix):
        rows = [row for row in report.matrix if row.database == database]
        shown += [Text(f"database {database}", "bold")] if database else []
        shown += [_list(rows) if report.service else Either(_matrix(rows), _list(rows))]
        wrong = any(not cell.as_declared for row in rows for cell in row.cells)
        shown += [*([Text("! not as declared", style="dim")] if wrong else []), Text()]
    shown += [Text(f"warning: {warning}", style="yellow") for warning in report.warnings]
    shown += [_accepted(accepted) for accepted in report.accepted]
    shown += [listed(report.findings), Text()] if report.findings else []
    return Group(*shown, _sum(report))


def _matrix(rows: Sequence[Row]) -> Table:
    shown = Table(["who \\ schema", *(cell.schema for cell in rows[0].cells)])
    for row in rows:
        shown.add_row(row.role, *(_cell(cell.access, cell.as_declared) for cell in row.cells))
    return shown


def _list(rows: Sequence[Row]) -> Table:
    shown = Table(["who", "access", "schemas"])
    for row in rows:
        found: dict[tuple[str, bool], list[str]] = defaultdict(list)
        for cell in row.cells:
            if cell.access != "-" or not cell.as_declared:
                found[cell.access, cell.as_declared].append(cell.schema)
        # What it owns comes first, wherever its schema is declared.
        for (access, as_declared), schemas in sorted(found.items(), key=lambda group: group[0][0] != "owns"):
            counted = f"{len(schemas)} schemas" if as_declared and len(schemas) > MANY else ", ".join(schemas)
            shown.add_row(row.role, _cell(access, as_declared), counted)
        if not found:
            shown.add_row(row.role, "-", "")
    return shown


def _cell(access: str, as_declared: bool) -> Text:
    return Text(access) if as_declared else Text(f"{access} !", style="bold red")


def _accepted(taken: Taken) -> Text:
    found, by = taken.finding, taken.by
    where = f" (database {found.database})" if found.database else ""
    return Text(f"accepted until {by.until}: {found.check}: {found.subject}{where}: {by.reason}", style="dim")


def _sum(report: Report) -> Text:
    counted = f"{report.logins} logins, {report.probes} probes, {report.by_catalog} privileges checked by catalog"
    tried = counted if report.logins else "no logins"
    tried += f"; {len(report.accepted)} accepted" if report.accepted else ""
    if not report.findings:
        return Text(f"stack {report.stack} is as declared ({tried})", style="green")
    found = "1 finding" if len(report.findings) == 1 else f"{len(report.findings)} findings"
    return Text(f"stack {report.stack} is not as declared: {found} ({tried})", style="bold red")
