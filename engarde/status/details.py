"""The largest tables and the slowest statements of one service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from engarde.migrate.show import table
from engarde.output.show import Text
from engarde.status.report import Report, Service
from engarde.status.run_time import Slow
from engarde.status.storage import LARGEST, Stored
from engarde.status.words import ago, of_bytes, of_count, of_milliseconds, of_share

SHOWN = 3
"""Statements of each kind."""

WIDTH = 70
"""Of a statement's text [characters]; JSON has more of it."""


def details(service: Service, report: Report) -> Iterator[RenderableType]:
    """Nothing where there is nothing."""
    name = service.subject.name
    if service.stored and service.stored.tables:
        yield from (Text(), Text(f"{name}: largest tables", style="bold"), _tables(service.stored, report.at))
    if service.ran and service.ran.by_total:
        yield from (Text(), Text(f"{name}: statements", style="bold"), _statements(service, report.queries))


def _tables(stored: Stored, now: float) -> Table:
    shown = table("  table", "table", "indexes", "toast", "rows", "dead", "vacuumed", "analyzed")
    for column in shown.columns[1:6]:
        column.justify = "right"
    for each in stored.tables[:LARGEST]:
        parts = f" ({each.partitions} partitions)" if each.partitions else ""
        shown.add_row(
            f"  {each.schema}.{each.name}{parts}",
            *map(of_bytes, (each.table, each.indexes, each.toast)),
            of_count(each.rows),
            of_count(each.dead),
            ago(each.vacuumed, now),
            ago(each.analyzed, now),
        )
    return shown


def _statements(service: Service, queries: bool) -> Table:
    shown = table(
        "  slowest by", "total", "mean", "calls", "rows", "hit", "temp blocks", *(["statement"] if queries else [])
    )
    for column in shown.columns[1:7]:
        column.justify = "right"
    ran = service.ran
    for what, found in (("total", ran.by_total), ("mean", ran.by_mean)) if ran else ():
        for row in _rows(found[:SHOWN], queries):
            shown.add_row(f"  {what}", *row)
    return shown


def _rows(found: Sequence[Slow], queries: bool) -> Iterator[tuple[str, ...]]:
    for each in found:
        figures = (of_milliseconds(each.total), of_milliseconds(each.mean), of_count(each.calls), of_count(each.rows))
        text = each.query or "(not visible)"
        short = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
        yield (*figures, of_share(each.cache_hit), of_count(each.temp), *([short] if queries else []))
