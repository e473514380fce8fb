"""Layout of text: lines that are wrapped between words, lines to copy, and one style of table.

Nothing is ever cut off. A name that does not fit is folded. A path, and what is in backquotes, is broken only by the
terminal, which copies it as one line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import rich.text
from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.style import Style

from engarde.util.terminal import visible

GAP = "  "
"""Between two columns."""

LEAST = 10
"""How narrow a column becomes before figures are folded, too [characters]."""

_WORD = re.compile(r"(\s*)((?:`[^`]*`|\S)+)")


class Text(rich.text.Text):
    """One line in which every character is visible: Rich drops some control characters, and prints others."""

    def __init__(self, text: str = "", style: str | Style = "", **how: Any) -> None:
        super().__init__(visible(text), style, **how)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in [self.plain] if self.no_wrap else wrapped(self.plain, options.max_width):
            yield Segment(line, console.get_style(self.style))
            yield Segment.line()


def lines(text: str, style: str = "") -> RenderableType:
    return Group(*(Text(line, style) for line in text.split("\n")))


def to_copy(text: str) -> RenderableType:
    """Lines to copy: only the terminal wraps them, because a line end would become part of a name."""
    return Group(*(Text(f"  {line}", "green", no_wrap=True) for line in text.split("\n")))


def wrapped(line: str, width: int, whole: str = "`/") -> Iterator[str]:
    """The line in several parts: broken between words, and within a word that is too long and has none of `whole`."""
    # The lines of an item of a list hang below its text.
    indent = " " * (len(line) - len(line.lstrip().removeprefix("- ")))
    made = [""]
    for space, word in _WORD.findall(line):
        if made[-1] and cell_len(made[-1] + space + word) > width:
            made.append(indent + word)
        else:
            made[-1] += space + word
    for part in made:
        fits = cell_len(part) <= width or any(character in part for character in whole)
        yield from [part] if fits else chop_cells(part, width)


Cell = str | Text | Sequence[Text]
Row = list[list[Text]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table without rules, as wide as there is room: the widest columns are folded first, figures last."""

    headings: Sequence[str] = ()
    figures: Collection[int] = ()
    """the columns that are aligned to the right"""
    rows: list[Row] = field(default_factory=list)
    """a row of one cell is a line across the columns"""

    def add_row(self, *cells: Cell) -> None:
        """Adds a row with a cell for each column; a cell may have several lines."""
        self.rows.append([_lines(cell) for cell in cells])

    def add_line(self, line: Text) -> None:
        """Adds a line below the last row, across the columns."""
        self.rows.append([[line]])

    @property
    def width(self) -> int:
        """The width without any folding."""
        natural = self._natural()
        return sum(natural) + len(GAP) * (len(natural) - 1)

    def _natural(self) -> list[int]:
        return [max(line.cell_len for cell in column for line in cell) for column in self._columns(self._heading())]

    def _columns(self, heading: list[Row]) -> Iterator[tuple[list[Text], ...]]:
        return zip(*heading, *(row for row in self.rows if len(row) > 1), strict=True)

    def _widths(self, room: int) -> list[int]:
        natural = self._natural()
        room -= len(GAP) * (len(natural) - 1)
        for kept, least in ((self.figures, LEAST), ((), 1)):
            for most in range(max(natural), least - 1, -1):
                widths = [width if number in kept else min(width, most) for number, width in enumerate(natural)]
                if sum(widths) <= room:
                    return widths
        return [1] * len(natural)

    def _heading(self) -> list[Row]:
        return [[[Text(heading, "bold")] for heading in self.headings]] if self.headings else []

    def filled(self) -> Table:
        """Without empty columns."""
        kept = [
            number
            for number, column in enumerate(self._columns([]))
            if number == 0 or any(line.plain not in ("", "-") for cell in column for line in cell)
        ]
        return replace(
            self,
            headings=[self.headings[number] for number in kept],
            figures=[place for place, number in enumerate(kept) if number in self.figures],
            rows=[[row[number] for number in kept] if len(row) > 1 else row for row in self.rows],
        )

    def beside(self, other: Table) -> Table:
        """This table and another one with the same first column."""
        return Table(
            [*self.headings, *other.headings[1:]],
            [*self.figures, *(len(self.headings) - 1 + number for number in other.figures)],
            [[*row, *more[1:]] for row, more in zip(self.rows, other.rows, strict=True)],
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if not (self.headings or self.rows):
            return
        widths = self._widths(options.max_width)
        for row in (*self._heading(), *self.rows):
            if len(row) == 1:
                yield from row[0]
                continue
            cells = [
                [(part, line.style) for line in cell for part in wrapped(line.plain, width, "`")]
                for cell, width in zip(row, widths, strict=True)
            ]
            for parts in zip_longest(*cells, fillvalue=("", "")):
                yield self._line(parts, widths)

    def _line(self, parts: Iterable[tuple[str, str | Style]], widths: Sequence[int]) -> rich.text.Text:
        line = rich.text.Text(no_wrap=True, overflow="ignore")
        for number, ((part, style), width) in enumerate(zip(parts, widths, strict=True)):
            blanks = " " * (width - cell_len(part))
            line.append(blanks if number in self.figures else "")
            line.append(part, style)
            line.append(GAP if number in self.figures else blanks + GAP)
        line.rstrip()
        return line


def _lines(cell: Cell) -> list[Text]:
    if isinstance(cell, str | Text):
        cell = [Text(cell) if isinstance(cell, str) else cell]
    return [*cell] or [Text()]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Tables of the same rows: side by side if there is room, otherwise one below another."""

    tables: Sequence[Table]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        joined, *left = self.tables
        for table in left:
            both = joined.beside(table)
            if both.width > options.max_width:
                yield from (joined, Text())
            joined = table if both.width > options.max_width else both
        yield joined


@dataclass(frozen=True, slots=True)
class Either:
    """A table, or another form of it if it would have to be folded."""

    wide: Table
    narrow: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield self.wide if self.wide.width <= options.max_width else self.narrow


def grid(rows: dict[str, Cell]) -> Table:
    """Names, each with its value beside it."""
    made = Table(figures=[0])
    for name, said in rows.items():
        made.add_row(Text(name, "dim"), said)
    return made
