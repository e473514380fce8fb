"""The benchmark's table: a row for each tool at each size."""

from rich.console import Console

from tests.bench.psql import NAMED as FLOOR
from tests.bench.table import row, spread, table
from tests.bench.tool import Measured, Phase

ALL = dict(zip(Phase, (8.0, 2.0, 3.0, 4.0), strict=True))


def floor(size: int, up: float) -> Measured:
    return Measured(FLOOR, size, 30, {Phase.UP: up, Phase.DESTROY: 0.5})


def pulumi(size: int, up: float, *errors: str) -> Measured:
    return Measured("pulumi", size, 33, ALL | {Phase.UP: up}, errors)


def test_a_row_of_one_round() -> None:
    assert row([pulumi(4, 8.0, "error: one", "error: two")], [floor(4, 0.5)]) == [
        *("4", "pulumi", "33", "8.00", "2.00", "3.00", "4.00", "2", "2.000", "16.0"),
    ]


def test_a_phase_that_a_tool_does_not_have_stays_empty() -> None:
    assert row([floor(4, 0.5)], [floor(4, 0.5)])[3:7] == ["0.50", "-", "-", "0.50"]


def test_several_rounds_show_their_median_and_their_ends_and_all_their_errors() -> None:
    rounds = [pulumi(4, 9.0, "a"), pulumi(4, 8.0), pulumi(4, 30.0, "b")]
    cells = row(rounds, [floor(4, 1.0), floor(4, 2.0), floor(4, 3.0)])
    assert cells[3] == "9.00 (8.00-30.00)"
    assert cells[7:] == ["2", "2.250 (2.000-7.500)", "4.5"]


def test_rounds_that_read_the_same_are_one_figure() -> None:
    assert spread([33, 33], "{:.0f}") == "33"


def test_rows_of_one_size_stand_together() -> None:
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as shown:
        console.quiet = False
        console.print(table([floor(4, 1), pulumi(4, 2), floor(50, 1), pulumi(50, 2), floor(4, 1), pulumi(4, 2)]))
    lines = [line.split("│") for line in shown.get().splitlines() if line.startswith("│")]
    assert [(line[1].strip(), line[2].strip()) for line in lines] == [
        *(("4", FLOOR), ("4", "pulumi"), ("50", FLOOR), ("50", "pulumi")),
    ]


def test_without_a_floor_there_is_no_ratio() -> None:
    assert row([pulumi(4, 8.0)], [])[-1] == "-"
