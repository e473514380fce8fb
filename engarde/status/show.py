"""A report for people: a line for each service, what deserves a look, and the details where there is room for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.migrate.show import table
from engarde.output.show import Text, to_copy
from engarde.status.connections import IN_TRANSACTION
from engarde.status.details import details
from engarde.status.passed import Passed
from engarde.status.remarks import remarks
from engarde.status.report import Report, Service
from engarde.status.words import (
    NOT_VISIBLE,
    of_bytes,
    of_count,
    of_milliseconds,
    of_seconds,
    of_share,
)
from engarde.util.quoting import printable

FEW = 8
"""As many services are shown with their details; of more, each by itself."""


def as_text(report: Report, passed: Sequence[Passed]) -> RenderableType:
    """The whole report."""
    shown: list[RenderableType] = [*_server(report), Text(), _services(report)]
    if len(report.services) <= FEW:
        shown += [part for service in report.services for part in details(service, report)]
    notes = [*remarks(report)]
    if notes:
        shown += [Text(), Text("worth a look", style="bold"), *(Text(f"  {each}", style="yellow") for each in notes)]
    for each in report.unseen:
        shown += [Text(), Text(f"not visible: {each.what}: {each.why}", style="yellow")]
        shown += to_copy(printable(each.heal))
    shown += [Text(), *_passed(passed)]
    return Group(*shown)


def _server(report: Report) -> Iterator[RenderableType]:
    whole, seen = report.whole, report.whole.seen
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    standby = ", a standby" if seen.standby else ""
    up = of_seconds(report.at - seen.started)
    grid.add_row("server", f"PostgreSQL {seen.version}{standby}, up for {up}, asked as {seen.role}")
    hit = f"{of_share(whole.cache_hit)} from the cache"
    grid.add_row("database", f"{report.database}: {of_bytes(whole.database_size)}, {hit}, {seen.deadlocks} deadlocks")
    others = ", ".join(f"{count} of {role}" for role, count in sorted(whole.others.items()))
    used = f"{whole.connections} of {whole.room}, {whole.used_by_stack} of the stack's roles"
    grid.add_row("connections", used + (f", others: {others}" if others else ""))
    grid.add_row("budget", f"{whole.used_by_stack} of {whole.budget} in use, {whole.promised} promised by limits")
    settings = (f"{each.name}={each.value}" for each in whole.settings.values() if each.value is not None)
    grid.add_row("settings", Text(", ".join(settings), style="dim"))
    yield grid


def _services(report: Report) -> Table:
    shown = table("service", "size", "rows", "dead", "connections", "of which", "longest", "blocked")
    for heading in ("statements", "time", "mean", "cache hit", "revision"):
        shown.add_column(heading)
    for column in shown.columns[1:]:
        column.no_wrap = True
    for column in (*shown.columns[1:5], *shown.columns[6:12]):
        column.justify = "right"
    for each in report.services:
        shown.add_row(each.subject.name, *_stored(each), *_connections(each), *_ran(each), _revision(each))
    return shown


def _stored(service: Service) -> tuple[str, str, str]:
    if service.stored is None:
        return "-", "-", "-"
    part = "≥ " if service.stored.unmeasured else ""
    size = part + of_bytes(service.stored.sum(lambda each: each.total))
    return size, of_count(service.stored.rows), of_count(service.stored.sum(lambda each: each.dead))


def _connections(service: Service) -> tuple[str, str, str, str]:
    found = service.connections
    used = f"{found.total} of {found.limit}" if found.limit is not None else str(found.total)
    blocked = str(len(found.blocked))
    if found.states is None:
        return used, NOT_VISIBLE, NOT_VISIBLE, blocked
    waiting = sum(found.states[state] for state in IN_TRANSACTION)
    others = found.total - waiting - found.states["active"] - found.states["idle"]
    counted = {"active": found.states["active"], "idle": found.states["idle"], "in tx": waiting, "other": others}
    states = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    return used, states, of_seconds(found.longest_transaction or None), blocked


def _ran(service: Service) -> tuple[str, str, str, str]:
    ran = service.ran
    if ran is None:
        return NOT_VISIBLE, "", "", ""
    return of_count(ran.calls), of_milliseconds(ran.total), of_milliseconds(ran.mean), of_share(ran.cache_hit)


def _revision(service: Service) -> str:
    if service.revision is None:
        return NOT_VISIBLE
    return ", ".join(service.revision) or "-"


def _passed(passed: Sequence[Passed]) -> Iterator[Text]:
    for each in passed:
        yield Text(f"{each.service or 'server'}: {each.threshold}: {each.said}", style="bold red")
    if not passed:
        yield Text("no threshold is passed", style="green")
