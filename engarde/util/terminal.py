"""All printing: results go to standard output, everything else to standard error.

A reader may go away, a disk may be full, a terminal may be lost. Progress is then dropped. If the result has no reader,
a command that has changed nothing ends; one that has changed something goes on to its end.
"""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Say = Callable[[str], None]
"""Reports progress in one line; usually `say`."""

BREAKS = "\n\t"
"""Characters that a text of several lines keeps."""

MARKS = 3
"""How many marks one letter keeps: no script needs more, and a pile of them hides the lines around it."""

# Not control or format characters by their category, but invisible all the same.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)

OUTPUT_LOST, READER_GONE = 74, 141
"""Exit codes if the result could not be written: in general, and if nobody reads it and nothing was changed."""


def visible(text: str, keep: str = "") -> str:
    r"""The text with invisible characters as Python writes them: `\n`, `\x1b`, `\u202e`.

    Only for reading: a name that contains the text `\x1b` looks the same. Text to copy is quoted (`quoting`).
    """
    return written(text, lambda character: character.encode("unicode_escape").decode(), keep)


def written(text: str, spell: Callable[[str], str], keep: str = "") -> str:
    """The text with each invisible character as `spell` writes it, except those in `keep`.

    Invisible are control and format characters, separators except the space, surrogates, private and unassigned
    characters, blanks, and marks without a letter or piled on one.
    """
    if text.isascii() and text.isprintable():
        return text
    found, marks = [], MARKS
    for character in text:
        kind = unicodedata.category(character)[0]
        marks = marks + 1 if kind == "M" else 0 if kind in "LN" else MARKS
        if character in keep:
            found.append(character)
        elif not character.isprintable() or character in _BLANK or marks > MARKS:
            marks = MARKS
            found.append(spell(character))
        else:
            found.append(character)
    return "".join(found)


def say(line: str) -> None:
    """Reports progress to the operator in one line."""
    tell(visible(line, keep="\t"))


def complain(reason: object) -> None:
    """Tells the operator why the command stops; the reason may have several lines."""
    tell(f"engarde: {reason}")


def put(text: str) -> None:
    """Prints a result, which may have several lines."""
    print(visible(text, keep=BREAKS), flush=True)


def is_screen() -> bool:
    return sys.stdout.isatty()


def tell(text: str) -> None:
    """Prints text on standard error, which may have several lines."""
    print(visible(text, keep=BREAKS), file=sys.stderr, flush=True)


@dataclass(slots=True)
class _Command:
    """The state of this command, for the case that its readers go away."""

    changing: bool = False
    lost: bool = False
    """whether its result, or a part of it, was lost"""

    def lose(self, error: OSError) -> None:
        """Goes on without a result if something is being changed; otherwise ends the command."""
        self.lost = True
        if self.changing:
            return
        if error.errno == errno.EPIPE:
            raise SystemExit(READER_GONE)
        complain(f"cannot write the result: {error.strerror}")
        raise SystemExit(OUTPUT_LOST)


_command: _Command | None = None
"""None in a process that is not a command of this tool, or has replaced its streams, as tests do."""


class _Losing(io.FileIO):
    """An output stream that may be lost; then everything written to it is dropped."""

    def __init__(self, number: int, lost: Callable[[OSError], None]) -> None:
        super().__init__(number, "w", closefd=False)
        self._tell_lost = lost
        self._is_lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes as much of the data as the system takes at once."""
        try:
            while not self._is_lost:
                if (written := super().write(data)) is not None:
                    return written
                # Another process that shares the stream has made it non-blocking.
                select.select([], [self], [])
        except OSError as error:
            self._is_lost = True
            self._tell_lost(error)
        return memoryview(data).nbytes


def begin_command() -> None:
    """Makes this process a command of the tool; called once, before it prints."""
    global _command
    if (sys.stdout, sys.stderr) == (sys.__stdout__, sys.__stderr__):
        _command = _Command()
        sys.stdout = _losing(sys.stdout, 1, _command.lose)
        sys.stderr = _losing(sys.stderr, 2, lambda _: None)


def _losing(original: TextIO | None, number: int, lost: Callable[[OSError], None]) -> TextIO:
    if original is None:
        # It was closed at the start: writing must fail, and no file opened later may get its number.
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, number)
        if nowhere != number:
            os.close(nowhere)
    return io.TextIOWrapper(
        io.BufferedWriter(_Losing(number, lost)),
        encoding=original.encoding if original else None,
        errors=original.errors if original else "backslashreplace",
        line_buffering=bool(original and original.isatty()),
    )


def begin_change() -> None:
    """From now on the command goes on to its end, even without readers or a terminal.

    Call it in the main thread, before anything is changed. Programs that are started from now on do not get a SIGHUP
    either.
    """
    if _command:
        _command.changing = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def exit_code(code: int) -> int:
    """The exit code of a command that would end with this one: 74 in place of 0 or 1 if its result was lost."""
    if not (_command and _command.lost) or code not in (0, 1):
        return code
    complain("the command is done, but its result could not be written")
    return OUTPUT_LOST


def has_begun_change() -> bool:
    """Whether this command may have changed something."""
    return bool(_command and _command.changing)


def first_few(items: Sequence[str], most: int, between: str = ", ", last: str = " and ") -> str:
    """The first of many, and how many more there are: `a, b and 3 more`."""
    more = len(items) - most
    return between.join(items[:most]) + (f"{last}{more} more" if more > 0 else "")


def indented(items: Iterable[object]) -> str:
    """Each item on an indented line, below a first line that says what they are."""
    return "\n".join(f"  {item}" for item in items)


def last_line(text: str) -> str:
    """The last line of a command's output, which usually says why it failed."""
    return text.strip().rpartition("\n")[2]


INTERVAL = 10
"""How often a long step reports progress (seconds)."""


class Progress:
    """The progress of a step."""

    note = "under way"


@contextmanager
def step(what: str) -> Iterator[Progress]:
    """Reports a step's name, its progress every few seconds, and its duration."""
    tell(f"{what} ...")
    start, progress, ended = time.monotonic(), Progress(), threading.Event()

    def still() -> None:
        while not ended.wait(INTERVAL):
            tell(f"  {progress.note}, {time.monotonic() - start:.0f} s so far")

    teller = threading.Thread(target=still, daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        ended.set()
        teller.join()
        tell(f"  took {time.monotonic() - start:.1f} s")
