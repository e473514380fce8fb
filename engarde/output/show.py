"""How findings are printed: for people and for machines."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import rich.console
from rich.console import Group, RenderableType
from rich.progress import Progress
from rich.style import Style

from engarde.output.findings import Finding, Remedy
from engarde.output.layout import Text, grid, to_copy
from engarde.util.terminal import complain, is_screen, put, written

VERSION = 2
"""Of the JSON that every command prints: keys may be added within it, and nothing else changes (docs/json.md)."""

UNLIMITED = 10**6
"""The width of a pipe, if COLUMNS does not state one [characters]."""


class Console(rich.console.Console):
    """Standard output, or standard error, in colour on a terminal; a cell that is a plain string is a `Text`."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Prints them; a line to copy may be wider than the terminal."""
        # Rich would join several texts into one of its own class.
        super().print(Group(*objects), crop=False, **how)

    def render_str(self, text: str, *, style: str | Style = "", **how: Any) -> Text:
        """A plain string unchanged: Rich would read markup in it, and replace names of emoji."""
        return Text(text, style, justify=how.get("justify"), overflow=how.get("overflow"))


def console() -> Console:
    # The terminal is asked each time, because its width may change.
    asked = is_screen() and "COLUMNS" not in os.environ
    return Console(width=None if asked else shutil.get_terminal_size((UNLIMITED, 1)).columns)


@contextmanager
def logins_left() -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how many logins are done; yields a function that takes the number left."""
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.file.isatty()) as shown:
        task = shown.add_task("reading the state and the catalogs", total=None)

        def left(number: int) -> None:
            total = shown.tasks[task].total or number
            shown.update(task, description="logging in", total=total, completed=total - number)

        yield left


def document(**parts: object) -> str:
    """One JSON object with its version."""
    return written(json.dumps({"version": VERSION, **parts}, indent=2, ensure_ascii=False), _in_json, keep="\n")


def _in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


class Result:
    """What a command found or did: as text for people, and as data for programs."""

    __slots__ = ()

    def text(self) -> RenderableType:
        """For people; an empty text prints nothing."""
        raise NotImplementedError

    def data(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def exit_code(self) -> int:
        return 0

    @property
    def complaint(self) -> object:
        """The last line on standard error; empty if all is well."""
        return ""

    def form(self, output: str) -> RenderableType:
        return document(**self.data()) if output == "json" else self.text()


def print_result(result: Result, output: str) -> int:
    """Prints a result in the form of `--output`, and returns the exit code."""
    form = result.form(output)
    if not isinstance(form, str):
        console().print(form)
    elif form:
        put(form)
    if result.complaint:
        complain(result.complaint)
    return result.exit_code


@dataclass(frozen=True, slots=True)
class Shown(Result):
    """A result whose text and data are made when they are needed."""

    text: Callable[[], RenderableType]
    data: Callable[[], dict[str, Any]]
    exit_code: int = 0
    complaint: object = ""


@dataclass(frozen=True, slots=True)
class Findings(Result):
    """Findings, if there are any."""

    found: Sequence[Finding]
    none: str
    """the text if there are none"""
    about: Mapping[str, object] = field(default_factory=dict)
    """more members of the JSON object"""

    def text(self) -> RenderableType:
        return listed(self.found) if self.found else self.none

    def data(self) -> dict[str, Any]:
        return {**self.about, "findings": [as_data(finding) for finding in self.found]}

    @property
    def exit_code(self) -> int:
        return 1 if self.found else 0


def as_data(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "subject": finding.subject,
        "expected": finding.expected,
        "actual": finding.actual,
        "remedy": remedy_data(finding.remedy),
        "concerns": sorted(finding.concerns),
        "database": finding.database or None,
    }


def remedy_data(remedy: Remedy) -> dict[str, object]:
    return {
        "kind": remedy.kind,
        "text": remedy.text,
        "bySuperuser": remedy.by_superuser,
        "safe": remedy.safe,
        "first": remedy_data(remedy.first) if remedy.first else None,
    }


def listed(findings: Sequence[Finding]) -> RenderableType:
    """Findings one below another, each remedy on lines of its own that can be copied."""
    shown: list[RenderableType] = []
    for finding in findings:
        where = f" (database {finding.database})" if finding.database else ""
        shown += [
            Text(),
            Text(f"{finding.check}: {finding.subject}{where}", style="bold"),
            grid({"expected": finding.expected, "actual": Text(finding.actual, style="red")}),
            *fix(finding.remedy, finding.database),
        ]
    return Group(*shown)


def fix(remedy: Remedy, database: str) -> Iterator[RenderableType]:
    """A remedy on lines that can be copied, below how to use it; `database` is empty if the stack has only one."""
    where = f"database {database}" if database else "the stack's database"
    whose = " as a superuser" if remedy.by_superuser else ""
    headings = {
        "sql": f"Fix (run in {where}{whose}):",
        "decision": f"Decide which is right, and run it in {where}{whose}:",
        "command": "Fix (run in the project's folder):",
        "edit": "Fix (edit the stack file, then run `bin/pulumi up`):",
        "code": "Fix (change the service):",
    }
    if remedy.first:
        yield from fix(remedy.first, database)
    yield Text(headings[remedy.kind], style="dim")
    yield to_copy(remedy.text)
