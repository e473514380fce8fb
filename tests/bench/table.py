"""The table that the benchmark ends with."""

from collections.abc import Iterable, Sequence
from statistics import median

from rich.table import Table

from tests.bench.psql import NAMED as FLOOR
from tests.bench.tool import Measured, Phase

COLUMNS = (
    "services",
    "tool",
    "resources",
    *(f"{phase} s" for phase in Phase),
    "errors",
    "up s per service",
    "up / floor",
)


def table(measured: Iterable[Measured]) -> Table:
    """A row for each tool at each size: of several rounds the median, and in brackets the least and the most."""
    shown = Table()
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column == "tool" else "right")
    rows: dict[tuple[int, str], list[Measured]] = {}
    for each in measured:
        rows.setdefault((each.size, each.tool), []).append(each)
    for place, (size, tool) in enumerate(rows):
        if place and tool == FLOOR:
            shown.add_section()
        shown.add_row(*row(rows[size, tool], rows.get((size, FLOOR), [])))
    return shown


def row(rounds: Sequence[Measured], floor: Sequence[Measured]) -> list[str]:
    """The cells of one tool at one size."""
    first, up, lowest = rounds[0], _seconds(rounds, Phase.UP), _seconds(floor, Phase.UP)
    return [
        str(first.size),
        first.tool,
        spread([each.resources for each in rounds], "{:.0f}"),
        *(spread(_seconds(rounds, phase), "{:.2f}") for phase in Phase),
        str(sum(len(each.errors) for each in rounds)),
        spread([each / first.size for each in up], "{:.3f}"),
        f"{median(up) / median(lowest):.1f}" if up and lowest else "-",
    ]


def spread(values: Sequence[float], form: str) -> str:
    """`12.30`, or of several different ones `12.30 (11.90-13.00)`."""
    if not values:
        return "-"
    middle, least, most = (form.format(each) for each in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least}-{most})"


def _seconds(rounds: Sequence[Measured], phase: Phase) -> list[float]:
    return [each.seconds[phase] for each in rounds if phase in each.seconds]
