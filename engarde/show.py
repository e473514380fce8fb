"""How findings are printed: for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.progress import Progress
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from engarde.findings import Finding, Remedy

WIDTH = 160
"""Of what does not go to a terminal [characters]: a pipe has no width, and half a line is of no use to a script."""


def console() -> Console:
    """Where results are printed: standard output, in colour on a terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False, soft_wrap=False)


@contextmanager
def logins_left() -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how many logins are done; what takes a number and is told how many are left."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("asking the engine and the server", total=None)

        def left(number: int) -> None:
            total = shown.tasks[task].total or number
            shown.update(task, description="logging in", total=total, completed=total - number)

        yield left


def document(**parts: object) -> str:
    """One JSON object with the version of its form."""
    return json.dumps({"version": 1, **parts}, indent=2, ensure_ascii=False)


def as_data(finding: Finding) -> dict[str, object]:
    """A finding as JSON has it."""
    return {
        "check": finding.check,
        "subject": finding.subject,
        "expected": finding.expected,
        "actual": finding.actual,
        "remedy": remedy_data(finding.remedy),
        "concerns": sorted(finding.concerns),
        **({"database": finding.database} if finding.database else {}),
    }


def remedy_data(remedy: Remedy) -> dict[str, object]:
    """A remedy as JSON has it."""
    return {"kind": remedy.kind, "text": remedy.text, "bySuperuser": remedy.by_superuser, "safe": remedy.safe}


def listed(findings: Sequence[Finding]) -> RenderableType:
    """Findings one under another, each remedy on lines of its own that can be copied whole."""
    shown: list[RenderableType] = []
    for finding in findings:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", justify="right")
        grid.add_column(overflow="fold")
        grid.add_row("expected", finding.expected)
        grid.add_row("actual", Text(finding.actual, style="red"))
        where = f" (database {finding.database})" if finding.database else ""
        shown += [Rule(style="dim"), Text(f"{finding.check}: {finding.subject}{where}", style="bold"), grid]
        shown += _remedy(finding.remedy, finding.database)
    return Group(*shown)


def _remedy(remedy: Remedy, database: str) -> Iterable[RenderableType]:
    where = f"database {database}" if database else "the stack's database"
    headings = {
        "sql": f"heal it, in {where}" + (" as a superuser:" if remedy.by_superuser else ":"),
        "command": "heal it with:",
        "edit": "heal it in the stack file:",
        "code": "heal it in the service:",
    }
    yield Text(headings[remedy.kind], style="dim")
    for line in remedy.text.splitlines():
        yield Text(f"  {line}", style="green", overflow="fold", no_wrap=False)
