"""The results of migrations, and where services are in their histories."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Group, RenderableType

from engarde.alembic.scripts import Revision
from engarde.errors import Unfinished
from engarde.output.layout import Table, Text, lines
from engarde.output.show import Result

State = Literal["migrated", "up to date", "failed"]
Where = Literal["up to date", "pending", "unknown revision", "elsewhere", "not known"]
STYLES = {"migrated": "green", "up to date": "dim", "failed": "red"}


@dataclass(frozen=True, slots=True)
class Migrated:
    """The result for one service."""

    service: str
    state: State
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None
    """None if they could not be read"""
    seconds: float
    said: str = ""
    """why it failed, if it failed"""
    exit_code: int = 0

    def data(self) -> dict[str, object]:
        return {
            "service": self.service,
            "state": self.state,
            "revisionsBefore": self.before,
            "revisionsAfter": self.after,
            "seconds": round(self.seconds, 1),
            "reason": self.said or None,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """Where one service is in its history, and which revisions are pending."""

    service: str
    state: Where
    now: tuple[str, ...] | None = None
    """None if they could not be read"""
    heads: tuple[str, ...] = ()
    pending: tuple[Revision, ...] = ()
    said: str = ""
    """why the state is not known, which revision the history lacks, or which other table holds its revisions"""
    exit_code: int = 1

    def data(self) -> dict[str, object]:
        return {
            "service": self.service,
            "state": self.state,
            "revisions": self.now,
            "heads": list(self.heads),
            "pending": [{"revision": revision.id, "title": revision.title} for revision in self.pending],
            "reason": self.said or None,
        }


@dataclass(frozen=True, slots=True)
class _Services(Result):
    services: Sequence[Migrated | Status]

    @property
    def exit_code(self) -> int:
        """The worst one; if a run has migrated one service and failed for another, it is begun and not finished."""
        worst = max(service.exit_code for service in self.services)
        changed = any(service.state == "migrated" for service in self.services)
        return Unfinished.exit_code if worst and changed else worst

    def data(self) -> dict[str, object]:
        return {"services": [service.data() for service in self.services]}


@dataclass(frozen=True, slots=True)
class Upgraded(_Services):
    services: Sequence[Migrated]

    def text(self) -> RenderableType:
        shown = Table(["service", "before", "after", "seconds", "state"], figures=[3])
        for done in self.services:
            state = Text(done.state, STYLES[done.state])
            shown.add_row(done.service, _cell(done.before), _cell(done.after), f"{done.seconds:.1f}", state)
        return Group(shown, *_said(self.services))


@dataclass(frozen=True, slots=True)
class Statuses(_Services):
    services: Sequence[Status]

    def text(self) -> RenderableType:
        """A row for each service, and below its state a line for each pending revision."""
        shown = Table(["service", "revision", "heads", "state"])
        for found in self.services:
            where = Text(found.state, "green" if found.state == "up to date" else "red")
            pending = (Text(f"{revision.id}  {revision.title}".rstrip()) for revision in found.pending)
            shown.add_row(found.service, _cell(found.now), _cell(found.heads), [where, *pending])
        return Group(shown, *_said(self.services))


def _said(services: Sequence[Migrated | Status]) -> Iterator[RenderableType]:
    """The messages, below the table, where a command in them has room."""
    for service in services:
        if service.said:
            yield lines(f"{service.service}: {service.said}")


def _cell(revisions: Sequence[str] | None) -> str:
    return "(not read)" if revisions is None else ", ".join(revisions) or "(none)"
