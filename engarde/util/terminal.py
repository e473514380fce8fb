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
"""What tells somebody in one line what goes on: `say`, as a rule."""

BREAKS = "\n\t"
"""What a text of several lines keeps."""

MARKS = 3
"""How many marks one letter keeps: scripts have as many, and a pile of them hides the lines around it."""

# No control or format character by its category, and shown as nothing all the same.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)

OUTPUT_LOST, READER_GONE = 74, 141
"""Exit codes, where the result could not be written: in general, and as nobody reads it and nothing was changed."""


def visible(text: str, keep: str = "") -> str:
    r"""The text with such characters as Python writes them: `\n`, `\x1b`, `\u202e`.

    It is for reading: a name that holds `\x1b` spelled out looks the same. What is copied is quoted (`quoting`).
    """
    return written(text, lambda character: character.encode("unicode_escape").decode(), keep)


def written(text: str, spell: Callable[[str], str], keep: str = "") -> str:
    """The text with each such character as `spell` writes it, but for those to `keep`.

    Such are control and format characters, separators of lines and words but for the space, surrogates, what is private
    or unassigned, blanks, and marks without a letter or piled upon one.
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
    """Tells the operator in one line what goes on."""
    tell(visible(line, keep="\t"))


def complain(reason: object) -> None:
    """Tells the operator why it does not go on; the reason may have several lines."""
    tell(f"engarde: {reason}")


def put(text: str) -> None:
    """Prints a result, which may have several lines."""
    print(visible(text, keep=BREAKS), flush=True)


def is_screen() -> bool:
    return sys.stdout.isatty()


def tell(text: str) -> None:
    """Tells the operator something on standard error, which may have several lines."""
    print(visible(text, keep=BREAKS), file=sys.stderr, flush=True)


@dataclass(slots=True)
class _Command:
    """What this process does, as far as its readers are concerned."""

    changing: bool = False
    lost: bool = False
    """its result, or a part of it"""

    def lose(self, error: OSError) -> None:
        """Goes on without a result where something is changed; else ends the command."""
        self.lost = True
        if self.changing:
            return
        if error.errno == errno.EPIPE:
            raise SystemExit(READER_GONE)
        complain(f"cannot write the result: {error.strerror}")
        raise SystemExit(OUTPUT_LOST)


_command: _Command | None = None
"""None in a process that is no command of ours: one that has put other streams in the place of its own, as tests do."""


class _Losing(io.FileIO):
    """A stream of this process, which may be lost; what cannot be written to it is dropped from then on."""

    def __init__(self, number: int, lost: Callable[[OSError], None]) -> None:
        super().__init__(number, "w", closefd=False)
        self._tell_lost = lost
        self._is_lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        """All of the data, or as much of it as the system takes at once."""
        try:
            while not self._is_lost:
                if (written := super().write(data)) is not None:
                    return written
                # Somebody who shares the stream has made it one that does not wait.
                select.select([], [self], [])
        except OSError as error:
            self._is_lost = True
            self._tell_lost(error)
        return memoryview(data).nbytes


def begin_command() -> None:
    """Makes this process a command: once, before it prints."""
    global _command
    if (sys.stdout, sys.stderr) == (sys.__stdout__, sys.__stderr__):
        _command = _Command()
        sys.stdout = _losing(sys.stdout, 1, _command.lose)
        sys.stderr = _losing(sys.stderr, 2, lambda _: None)


def _losing(original: TextIO | None, number: int, lost: Callable[[OSError], None]) -> TextIO:
    if original is None:
        # It was closed beforehand: writing shall fail, and no file that is opened later be taken for it.
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
    """From here on the command goes on to its end, whoever reads and whatever becomes of its terminal.

    Called in the main thread, before anything is changed; the programs that are started from here on are told nothing
    of a lost terminal either.
    """
    if _command:
        _command.changing = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def exit_code(code: int) -> int:
    """The code that a command ends with, if it is to be this one: a result that was lost is no good end."""
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
    """Each on a line of its own, for a message whose first line says what they are."""
    return "\n".join(f"  {item}" for item in items)


def last_line(text: str) -> str:
    """What a command said last: why it failed, as a rule."""
    return text.strip().rpartition("\n")[2]


INTERVAL = 10
"""How often a step that takes long says how far it is (seconds)."""


class Progress:
    """How far a step has come, for whoever tells the user."""

    note = "under way"


@contextmanager
def step(what: str) -> Iterator[Progress]:
    """Frames work that can take a while by its name and its duration, with a sign of life in between."""
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
