"""A report for people: a line for each service, what deserves a look, and details if there are few services."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType

from engarde.declaration.declared import of_bytes
from engarde.declaration.model import DatabaseStack
from engarde.output.layout import Blocks, Either, Table, Text, grid, to_copy
from engarde.output.show import Result, fix
from engarde.server.credentials import Access
from engarde.server.version_tables import Logins
from engarde.status.collect import collect
from engarde.status.connections import IN_TRANSACTION, Connections
from engarde.status.exceeded import Exceeded, Remark, exceeded, of_seconds, of_share, remarks
from engarde.status.exports import data, prometheus
from engarde.status.report import Report, Service, report
from engarde.status.statement_stats import StatementStats
from engarde.status.storage import Sized
from engarde.status.subjects import Subject

FEW = 8
"""The details are shown for up to as many services; for more, `status SERVICE` shows them."""

SHOWN = 3
"""Statements of each kind."""

MOST = 70
"""How much of a statement's text is shown; JSON has more of it [characters]."""

NOT_VISIBLE = "not visible"


@dataclass(frozen=True, slots=True)
class Status(Result):
    report: Report
    exceeded: tuple[Exceeded, ...]

    @property
    def exit_code(self) -> int:
        return 1 if self.exceeded else 0

    def text(self) -> RenderableType:
        report = self.report
        shown: list[RenderableType] = [_server(report), Text(), _services(report)]
        if len(report.services) <= FEW:
            shown += [part for service in report.services for part in _details(service, report)]
        if noted := [(name, notes) for name, notes in remarks(report) if notes]:
            shown += [Text(), Text("worth a look", style="bold")]
            for name, notes in noted:
                shown += [Text(f"  {name}"), *(part for note in notes for part in _remark(note))]
        for unseen in report.unseen:
            shown += [Text(), Text(f"not visible: {unseen.what}: {unseen.reason}", style="yellow")]
            shown += fix(unseen.remedy, report.database)
        beyond = [f"{found.service or 'server'}: {found.threshold}: {found.message}" for found in self.exceeded]
        shown += [Text(), *(Text(line, style="bold red") for line in beyond)]
        return Group(*shown, *([] if beyond else [Text("all thresholds OK", style="green")]))

    def data(self) -> dict[str, Any]:
        return data(self.report, self.exceeded)

    def form(self, output: str) -> RenderableType:
        return prometheus(self.report, self.exceeded) if output == "prometheus" else Result.form(self, output)


def status(
    stack: DatabaseStack, login: Access, chosen: Sequence[Subject], queries: bool, logins: Logins | None = None
) -> Status:
    """Reads the server, as `collect` does, and compares the figures with the thresholds.

    :raises Unreachable: no answer, or the login was refused.
    """
    found = report(stack, chosen, collect(stack, login, chosen, queries, logins), queries)
    return Status(found, tuple(exceeded(stack, found)))


def _remark(remark: Remark) -> Iterator[RenderableType]:
    yield Text(f"  - {remark.said}", "yellow")
    if remark.remedy:
        yield to_copy(f"    {remark.remedy.text}")


def _server(report: Report) -> Table:
    server, seen = report.server, report.server.seen
    standby = ", a standby" if seen.standby else ""
    up = of_seconds(report.at - seen.started)
    hit = f"{of_share(server.cache_hit_ratio)} from the cache"
    others = ", ".join(f"{count} of {role}" for role, count in sorted(server.others.items()))
    used = f"{server.connections} of {server.room}, {server.used_by_stack} by the stack's roles"
    settings = (f"{setting.name}={setting.value}" for setting in server.settings.values() if setting.value is not None)
    return grid(
        {
            "server": f"PostgreSQL {seen.version}{standby}, up for {up}, connected as {seen.role}",
            "database": f"{report.database}: {of_bytes(server.database_size)}, {hit}, {seen.deadlocks} deadlocks",
            "connections": used + (f", other roles: {others}" if others else ""),
            "budget": f"{server.used_by_stack} of {server.budget} in use; the limits add up to {server.allocated}",
            "settings": Text(", ".join(settings), "dim"),
        }
    )


def _services(report: Report) -> Blocks:
    """What each has stored, its connections, and its statements."""
    stored = Table(["service", "size", "rows", "dead", "revision"], figures=[1, 2, 3])
    connected = Table(["service", "connections", "of which", "longest", "blocked"], figures=[1, 3, 4])
    ran = Table(["service", "statements", "time", "mean", "cache hit"], figures=[1, 2, 3, 4])
    for service in report.services:
        name = service.subject.name
        stored.add_row(name, *_stored(service))
        connected.add_row(name, *_connections(service.connections))
        ran.add_row(name, *_ran(service.statements))
    return Blocks([table.filled() for table in (stored, connected, ran)])


def _stored(service: Service) -> tuple[str, str, str, str]:
    revision = NOT_VISIBLE if service.revisions is None else ", ".join(service.revisions) or "-"
    if (storage := service.storage) is None:
        return "-", "-", "-", revision
    size = ("≥ " if storage.unmeasured_tables else "") + of_bytes(storage.bytes.total)
    return size, of_count(storage.rows), of_count(storage.dead_rows), revision


def _ran(found: StatementStats | None) -> tuple[str, str, str, str]:
    if found is None:
        return NOT_VISIBLE, "", "", ""
    times = of_milliseconds(found.total_milliseconds), of_milliseconds(found.mean_milliseconds)
    return of_count(found.calls), *times, of_share(found.cache_hit_ratio)


def _connections(found: Connections) -> tuple[str, str, str, str]:
    used = f"{found.used} of {found.limit}" if found.limit is not None else str(found.used)
    blocked = str(len(found.blocked) or "-")
    if found.states is None:
        return used, NOT_VISIBLE, NOT_VISIBLE, blocked
    waiting = sum(found.states[state] for state in IN_TRANSACTION)
    others = found.used - waiting - found.states["active"] - found.states["idle"]
    counted = {"active": found.states["active"], "idle": found.states["idle"], "in tx": waiting, "other": others}
    states = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    return used, states, of_seconds(found.longest_transaction_seconds or None), blocked


def _details(service: Service, report: Report) -> Iterator[RenderableType]:
    """The largest tables and the slowest statements, if there are any."""
    name, storage, ran = service.subject.name, service.storage, service.statements
    if storage and storage.largest_tables:
        yield from (Text(), Text(f"{name}: largest tables", style="bold"), _largest(storage.largest_tables, report.at))
    if ran and ran.by_total:
        yield from (Text(), Text(f"{name}: statements", style="bold"), _slowest(ran, report.queries))


def _largest(tables: Sequence[Sized], now: float) -> Table:
    shown = Table(["table", "size", "indexes", "rows", "dead", "vacuumed", "analyzed"], figures=range(1, 5))
    for sized in tables:
        parts = f" ({sized.partitions} partitions)" if sized.partitions else ""
        shown.add_row(
            f"{sized.schema}.{sized.table}{parts}",
            of_bytes(sized.bytes.total),
            of_bytes(sized.bytes.indexes),
            of_count(sized.rows),
            of_count(sized.dead_rows),
            ago(sized.vacuumed_at, now),
            ago(sized.analyzed_at, now),
        )
    return shown


def _slowest(ran: StatementStats, queries: bool) -> Either:
    headings = ["slowest by", "total", "mean", "calls", "rows", "hit", "temp blocks"]
    beside, below = (Table(given, figures=range(1, 7)) for given in ([*headings, "statement"], headings))
    for what, statements in (("total", ran.by_total), ("mean", ran.by_mean)):
        for slow in statements[:SHOWN]:
            text = (slow.query or NOT_VISIBLE) if queries else ""
            short = text if len(text) <= MOST else text[: MOST - 1] + "…"
            cells = (
                what,
                of_milliseconds(slow.total_milliseconds),
                of_milliseconds(slow.mean_milliseconds),
                of_count(slow.calls),
                of_count(slow.rows),
                of_share(slow.cache_hit_ratio),
                of_count(slow.temp_blocks) if slow.temp_blocks else "-",
            )
            beside.add_row(*cells, short)
            below.add_row(*cells)
            if short:
                below.add_line(Text(f"  {short}"))
    return Either(beside.filled(), below.filled())


def of_count(number: int | None) -> str:
    """`1,234,567`"""
    return "?" if number is None else f"{number:,}"


def of_milliseconds(milliseconds: float | None) -> str:
    """`12.3 ms`; from ten seconds on, in seconds or longer units."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.1f} ms" if milliseconds < 10_000 else of_seconds(milliseconds / 1000)


def ago(then: float | None, now: float) -> str:
    """`3 h ago`"""
    return "never" if then is None else f"{of_seconds(max(now - then, 0))} ago"
