"""Runs `alembic upgrade head` for each service, and tells what became of each."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from engarde.errors import EngardeError, Unfinished
from engarde.migrate.projects import Project, revisions

KEPT_FROM_SERVICES = ("PULUMI_", "RAILWAY_", "PG", "DATABASE_URL")
"""What the operator's environment has and a service's code has no use for."""
LAST = 5
"""How many lines of a failure are reported."""

Say = Callable[[str], None]
State = Literal["migrated", "up to date", "failed"]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one service."""

    service: str
    state: State
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None
    """None where they could not be read"""
    seconds: float
    said: str = ""
    """of a failure: why"""
    exit_code: int = 0


def upgrade(projects: Sequence[Project], jobs: int, say: Say) -> tuple[Migrated, ...]:
    """Each service by itself, so many at a time; one that fails does not stop the others."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            return tuple(pool.map(lambda project: _upgrade(project, say), projects))
        except KeyboardInterrupt:
            # The terminal has told the running ones, too; they end by themselves, and nothing else begins.
            pool.shutdown(cancel_futures=True)
            raise


def _upgrade(project: Project, say: Say) -> Migrated:
    start = time.monotonic()
    before = after = said = None
    code = 0
    try:
        before = revisions(project)
        if said := _run(project, ("upgrade", "head"), lambda line: say(f"{project.name}: {line}")):
            code = Unfinished.exit_code
        after = revisions(project)
    except EngardeError as error:
        said = said or str(error)
        code = error.exit_code if before is None else Unfinished.exit_code
    state: State = "failed" if said else "up to date" if before == after else "migrated"
    say(f"{project.name}: {state}")
    return Migrated(project.name, state, before, after, time.monotonic() - start, said or "", code)


def exit_code(done: Sequence[Migrated]) -> int:
    """That of the worst; a run that has changed anything and could not ask for all is begun and not finished."""
    worst = max(each.exit_code for each in done)
    return Unfinished.exit_code if worst and any(each.state == "migrated" for each in done) else worst


def sql(project: Project) -> Iterator[str]:
    """The lines that an upgrade would run from where the service is now.

    :raises EngardeError: they could not be written; nothing is run in any case.
    """
    now = ",".join(revisions(project))
    lines: list[str] = []
    if failed := _run(project, ("upgrade", f"{now}:head" if now else "head", "--sql"), lambda line: None, lines.append):
        raise EngardeError(f"{project.name}: {failed}")
    yield from lines


def _run(project: Project, words: Sequence[str], said: Say, printed: Say | None = None) -> str | None:
    """Runs Alembic there; why it failed, if it did. What it logs is told, and printed where nobody wants that apart."""
    last: deque[str] = deque(maxlen=LAST)
    command = [*project.declared.command, *words]
    try:
        process = subprocess.Popen(
            command,
            cwd=project.folder,
            env=_environment(project),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if printed else subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return f"cannot run {command[0]} in {project.folder}: {error.strerror}"
    with process:
        if printed:
            output, errors = process.communicate()
            for line in output.splitlines():
                printed(line)
            last.extend(_shown(project, errors))
        else:
            assert process.stdout
            for line in process.stdout:
                for shown in _shown(project, line):
                    said(shown)
                    last.append(shown)
    return ("\n".join(last) or f"it ended with {process.returncode}") if process.returncode else None


def _shown(project: Project, text: str) -> Iterator[str]:
    """Lines of a service's own program, which may print its URL."""
    for line in text.splitlines():
        if line.strip():
            yield line.rstrip().replace(project.access.password, "***")


def _environment(project: Project) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_FROM_SERVICES)}
    return kept | {project.declared.variable: project.access.url}
