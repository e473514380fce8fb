"""How plans and pushes are printed: for people and for machines, never a value."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.output.show import Text
from engarde.railway.old_logins import OldLogin
from engarde.railway.planning import Plan, Step
from engarde.railway.pushing import Pushed

HOLDS = {"set": "set", "change": "change", "same": "same", "unknown": "unknown (sealed)"}
DUE = {
    "none": "none",
    "deploy": "deploy",
    "wait": "wait for the one that runs",
    "person": "waits for a person",
    "never": "none: never deployed",
}


def _table(heading: str) -> Table:
    return Table("service", "on Railway", "variables", heading, box=None, pad_edge=False, padding=(0, 2))


def _row(step: Step) -> tuple[str, str, RenderableType]:
    variables = Group(*(Text(f"{name}: {HOLDS[holds]}") for name, holds in step.variables))
    return ", ".join(step.logins), step.service, variables


def planned(plan: Plan, old: Sequence[OldLogin]) -> RenderableType:
    """A row for each Railway service, then what a push would leave behind."""
    table = _table("deployment")
    for step in plan.steps:
        table.add_row(*_row(step), DUE[step.due])
    return Group(table, *(Text(str(each), style="red", overflow="fold") for each in old))


def pushed(ends: Sequence[Pushed]) -> RenderableType:
    """A row for each Railway service, with what became of it."""
    table = _table("state")
    for end in ends:
        table.add_row(*_row(end.step), Text(end.says, style="green" if end.good else "red"))
    return table


def planned_data(plan: Plan, old: Sequence[OldLogin]) -> dict[str, object]:
    """The same as JSON."""
    return dict(services=[_data(step) for step in plan.steps], oldLogins=[_old(each) for each in old])


def pushed_data(ends: Sequence[Pushed]) -> dict[str, object]:
    """The same as JSON."""
    return dict(services=[{**_data(end.step), "ok": end.good, "state": end.says} for end in ends])


def _old(each: OldLogin) -> dict[str, str]:
    return {
        "railwayService": each.service,
        "variable": each.variable,
        "role": each.role,
        "remedy": each.remedy,
    }


def _data(step: Step) -> dict[str, object]:
    return {
        "railwayService": step.service,
        "services": list(step.logins),
        "variables": dict(step.variables),
        "deployment": step.due,
    }
