"""Where each service is in its history, and what has still to be run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engarde.alembic.revisions import Revision
from engarde.alembic.scripts import graph, project
from engarde.errors import EngardeError
from engarde.migrate.elsewhere import Elsewhere
from engarde.migrate.projects import Project, starting_point

Where = Literal["up to date", "pending", "unknown revision", "elsewhere", "not known"]


@dataclass(frozen=True, slots=True)
class Status:
    """One service."""

    service: str
    where: Where
    now: tuple[str, ...] | None = None
    """None where they could not be read"""
    heads: tuple[str, ...] = ()
    pending: tuple[Revision, ...] = ()
    said: str = ""
    """why it is not known, which revision its history lacks, or which other table holds its revisions"""
    exit_code: int = 1


def status(projects: Sequence[Project]) -> tuple[Status, ...]:
    """Every service by itself: one that cannot be looked at does not keep the others from it."""
    return tuple(map(_status, projects))


def _status(of: Project) -> Status:
    try:
        history = graph(project(of.folder, of.declared.command))
        now = starting_point(of)
    except Elsewhere as found:
        return Status(of.name, "elsewhere", (), history.heads, said=str(found))
    except EngardeError as error:
        return Status(of.name, "not known", said=str(error), exit_code=error.exit_code)
    if strange := [each for each in now if not history.knows(each)]:
        said = f"its versions have no {', '.join(strange)}: applied from newer code, or another service's"
        return Status(of.name, "unknown revision", now, history.heads, said=said)
    pending = history.pending(now)
    if pending:
        return Status(of.name, "pending", now, history.heads, pending)
    return Status(of.name, "up to date", now, history.heads, exit_code=0)
