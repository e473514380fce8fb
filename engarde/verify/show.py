"""How a report is printed: the matrix first, then the warnings, then the findings."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.checks.judging import Taken
from engarde.output.show import Text, as_data, listed
from engarde.verify.matrix import Row
from engarde.verify.run import Report

WIDE = 8
"""More schemas than that make a list and not a matrix."""


def as_json(report: Report) -> dict[str, object]:
    """The report for machines."""
    return dict(
        stack=report.stack,
        asDeclared=not report.findings,
        logins=report.logins,
        probes=report.probes,
        byCatalog=report.by_catalog,
        matrix=[
            {
                "role": row.role,
                "schemas": {cell.schema: {"access": cell.access, "asDeclared": cell.as_declared} for cell in row.cells},
                **({"database": row.database} if row.database else {}),
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
    """The report for people."""
    wide = any(len(row.cells) > WIDE for row in report.matrix)
    databases = dict.fromkeys(row.database for row in report.matrix)
    shown: list[RenderableType] = []
    for database in databases:
        rows = tuple(row for row in report.matrix if row.database == database)
        shown += [_list(rows, database) if wide else _matrix(rows, database)]
    shown += [Text(f"warning: {warning}", style="yellow") for warning in report.warnings]
    shown += [_accepted(accepted) for accepted in report.accepted]
    shown += [listed(report.findings)] if report.findings else []
    return Group(*shown, _sum(report))


def _matrix(rows: tuple[Row, ...], database: str) -> Table:
    shown = Table(title=database or None)
    shown.add_column("who \\ schema")
    for cell in rows[0].cells if rows else ():
        shown.add_column(cell.schema, overflow="fold")
    for row in rows:
        shown.add_row(row.role, *(_cell(cell.access, cell.as_declared) for cell in row.cells))
    return shown


def _list(rows: tuple[Row, ...], database: str) -> Table:
    shown = Table("who", "access", "schemas", title=database or None)
    for row in rows:
        for access, schemas in _by_access(row).items():
            wrong = any(cell.access == access and not cell.as_declared for cell in row.cells)
            shown.add_row(row.role, _cell(access, not wrong), ", ".join(schemas))
    return shown


def _by_access(row: Row) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for cell in row.cells:
        if cell.access != "-" or not cell.as_declared:
            found[cell.access].append(cell.schema)
    return {access: _some(schemas) for access, schemas in found.items()} or {"-": []}


def _some(schemas: list[str]) -> list[str]:
    return schemas if len(schemas) <= WIDE else [f"{len(schemas)} schemas"]


def _cell(access: str, as_declared: bool) -> Text:
    return Text(access) if as_declared else Text(f"{access} !", style="bold red")


def _accepted(taken: Taken) -> Text:
    found, by = taken.finding, taken.by
    where = f" (database {found.database})" if found.database else ""
    return Text(f"accepted until {by.until}: {found.check}: {found.subject}{where}: {by.reason}", style="dim")


def _sum(report: Report) -> Text:
    counted = f"{report.logins} logins, {report.probes} probes, {report.by_catalog} rights by catalog"
    tried = counted if report.logins else "no logins"
    tried += f"; {len(report.accepted)} accepted" if report.accepted else ""
    if not report.findings:
        return Text(f"stack {report.stack} is as declared ({tried})", style="green")
    found = "1 finding" if len(report.findings) == 1 else f"{len(report.findings)} findings"
    return Text(f"stack {report.stack} is not as declared: {found} ({tried})", style="bold red")
