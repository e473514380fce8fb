"""Whatever is printed fits: names are folded, what is copied is whole, nothing is cut, and no line is padded."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import subprocess
import sys
import termios
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import RenderableType

from engarde.output.layout import Blocks, Table, Text, lines, wrapped
from engarde.output.show import Console, Shown, print_result
from engarde.util.quoting import word
from engarde.util.terminal import visible
from tests.unit.hostile import names as hostile
from tests.unit.results import COPIED, SHORT, TEXTS, URL, glanced, letter, names, remedy, verified

WIDTHS = (80, 120, 160, None)
"""In columns; None for a pipe of which nobody says how wide it is."""

patient = settings(deadline=None)


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(monkeypatch, capsys)


class Printed:
    """What a command prints to a pipe, as lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, shown: RenderableType, width: int | None) -> list[str]:
        if width is None:
            self._monkeypatch.delenv("COLUMNS", raising=False)
        else:
            self._monkeypatch.setenv("COLUMNS", str(width))
        print_result(Shown(lambda: shown, dict), "table")
        return self._capsys.readouterr().out.splitlines()


def copied(line: str) -> bool:
    sql = r"  CREATE DATABASE |      (REINDEX INDEX|ALTER TABLE|SELECT pg_drop_replication_slot\().*;$"
    edit = "    .*: {database: "
    return "`" in line or line.removeprefix("  ") in COPIED or bool(re.match(f"{sql}|{edit}", line))


@pytest.mark.parametrize("length", ["short", "long"])
@pytest.mark.parametrize("many", [4, 50])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", TEXTS)
def test_each_result_fits_and_names_all(wide: Printed, command: str, width: int | None, many: int, length: str) -> None:
    services, shown = names(many, length), TEXTS[command](names(many, length))
    printed = wide(shown, width)
    assert not [line for line in printed if line != line.rstrip()]
    assert not [line for line in printed if width and cell_len(line) > width and not copied(line)]
    text, whole = "\n".join(printed), "\n".join(wide(shown, 10**6))
    if length == "short":
        assert [name for name in services if name in text] == [name for name in services if name in whole]
    else:
        # However a name is folded, it is there with all its letters.
        counts = [text.count(letter(number)) for number in range(many)]
        assert not [count for count in counts if count % 10]
        assert [bool(count) for count in counts] == [letter(number) in whole for number in range(many)]


@pytest.mark.parametrize("length", ["short", "long"])
def test_what_is_copied_is_a_line_of_its_own(wide: Printed, length: str) -> None:
    services = names(4, length)
    for command in ("verify", "doctor"):
        printed = wide(TEXTS[command](services), 80)
        assert [line for line in printed if line.startswith("  REVOKE")] == [
            f"  {remedy(name).text}" for name in services
        ]
    command = URL.format(word(services[0]))
    for result in ("doctor TEXT", "migrate", "migrate status", "rotate"):
        assert any(command in line for line in wide(TEXTS[result](services), 80)), result


def test_who_is_whole_beside_every_figure(wide: Printed) -> None:
    """At 80 columns the names of a table are folded last of all."""
    printed = wide(glanced(names(4, "short")).text(), 80)
    for name in (*SHORT, "public", "analytics"):
        assert sum(bool(re.match(rf"{name} ", line)) for line in printed) == 3
    wider = wide(glanced(names(4, "short")).text(), 160)
    assert sum(line.startswith("service ") for line in printed) == 3
    assert sum(line.startswith("service ") for line in wider) == 1


def test_what_is_worth_a_look_is_a_list_for_each_service(wide: Printed) -> None:
    noted = wide(glanced(names(4, "short"), blocked=True).text(), 60)
    at = noted.index("  madansara")
    assert noted[at + 1 : at + 4] == [
        "  - a transaction has been open for 21 min",
        "  - session 1 has waited 1.5 s for things, blocked by",
        "    langflow's session 2 (langflow, state not visible)",
    ]


def test_the_matrix_is_a_list_where_it_does_not_fit(wide: Printed) -> None:
    """However many schemas there are."""
    four, fifty = verified(names(4, "short")).text(), verified(names(50, "short")).text()
    assert wide(four, 80)[0].split()[:2] == ["who", "\\"]
    assert wide(four, 60)[0].split() == ["who", "access", "schemas"]
    assert wide(fifty, 160)[0].split() == ["who", "access", "schemas"]
    assert wide(fifty, None)[0].split()[:2] == ["who", "\\"]


def test_a_role_begins_with_what_it_owns_and_the_mark_is_explained(wide: Printed) -> None:
    shown = verified(names(4, "short")).text()
    listed = [line.split() for line in wide(shown, 60)]
    assert next(line[1:-1] for line in listed if line[:1] == ["sankore"]) == ["owns", "!"]
    for width in (60, 80):
        assert wide(shown, width).count("! not as declared") == 1


def test_columns_without_anything_are_left_out() -> None:
    table = Table(["who", "figure", "nothing", "sometimes"], figures=[1, 3])
    table.add_row("a", "0", "-", "-")
    table.add_row("b", "-", "", "12")
    assert rendered(table.filled(), 80) == [
        "who  figure  sometimes",
        "a         0          -",
        "b         -         12",
    ]


def rendered(shown: RenderableType, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(shown)
    return out.getvalue().splitlines()


@patient
@given(st.lists(st.tuples(hostile, hostile, hostile), min_size=1, max_size=4), st.integers(12, 90))
def test_a_table_cuts_nothing_and_fits(rows: list[tuple[str, str, str]], width: int) -> None:
    table = Table(["who", "what", "where"], figures=[1])
    for row in rows:
        table.add_row(*(cell.replace("`", "'") for cell in row))
    printed = rendered(table, width)
    assert not [line for line in printed if cell_len(line) > width or line != line.rstrip()]
    cells = "".join(visible(cell.replace("`", "'")) for row in rows for cell in row)
    for character, count in Counter("".join(cells.split())).items():
        assert "".join(printed).count(character) >= count


@patient
@given(st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1), st.integers(1, 40))
def test_a_line_is_broken_between_words_alone(parts: list[str], width: int) -> None:
    line = " ".join(f"`{part}`" if number % 2 else part for number, part in enumerate(parts)).strip()
    printed = list(wrapped(line, width))
    assert "".join("".join(printed).split()) == "".join(line.split())
    assert not [part for part in printed if len(part) > width and "`" not in part]
    # What stands in backquotes is on one line, as it was.
    assert re.findall("`[^`]*`", "\n".join(printed)) == re.findall("`[^`]*`", line)


def test_a_long_name_is_folded_and_a_path_is_not() -> None:
    assert list(wrapped("it is in abcdefghijklmnop.x", 10)) == ["it is in", "abcdefghij", "klmnop.x"]
    assert list(wrapped("it is in /abc/defghijklmnop.x", 10)) == ["it is in", "/abc/defghijklmnop.x"]


def test_no_width_of_a_pipe_is_one(wide: Printed) -> None:
    text = " ".join(["word"] * 1000)
    assert wide(lines(text), None) == [text]
    assert len(wide(lines(text), 80)) > 50
    for nonsense in (0, -1):
        assert wide(lines(text), nonsense) == [text]


def test_side_by_side_where_there_is_room() -> None:
    one, other = Table(["who", "size"], figures=[1]), Table(["who", "state"])
    one.add_row("a", "12")
    other.add_row("a", "well")
    assert rendered(Blocks([one, other]), 16) == ["who  size  state", "a      12  well"]
    assert rendered(Blocks([one, other]), 15) == ["who  size", "a      12", "", "who  state", "a    well"]


def test_a_cell_of_several_lines() -> None:
    table = Table(["who", "what"])
    table.add_row("a", [Text("one"), Text("two `a b` three")])
    assert rendered(table, 12) == ["who  what", "a    one", "     two", "     `a b`", "     three"]


def test_on_a_terminal_columns_counts_and_the_terminal_else() -> None:
    """A terminal of 100 columns, with and without COLUMNS."""
    for columns, expected in ((None, 100), ("70", 70), ("0", 100), ("x", 100)):
        assert asked_in_a_terminal(columns) == expected


def asked_in_a_terminal(columns: str | None) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {"TERM": "xterm", **({"COLUMNS": columns} if columns is not None else {})}
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    code = "from engarde.output.show import console; print(console().width)"
    try:
        subprocess.run(
            [sys.executable, "-c", code], check=True, stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        return int(os.read(master, 100))
    finally:
        os.close(slave)
        os.close(master)
