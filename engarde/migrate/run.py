"""Runs `alembic upgrade head` for each service, and tells what became of each."""

import re
import subprocess
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import TextIOWrapper
from threading import Thread
from typing import IO

from engarde.alembic.check import check
from engarde.alembic.programs import Programs, end, environment
from engarde.declaration.names import VERSION_TABLE
from engarde.errors import ConfigError, EngardeError, Refused, Unfinished
from engarde.migrate.projects import Project, revisions, starting_point
from engarde.migrate.report import Migrated, State, Upgraded
from engarde.server.blocking import Watch, watched
from engarde.server.credentials import connect_timeout
from engarde.server.libpq import given_environment
from engarde.server.session import NOTICING_OPTIONS
from engarde.util.masking import masked
from engarde.util.quoting import quoted, word
from engarde.util.terminal import Say, begin_change

APPLICATION = "engarde migrate"

LAST = 5
"""How many lines of a failure are reported, beside the one that says what it is."""

_SAYS_WHY = re.compile(r"(?!(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|DEBUG|INFO|NOTICE|WARN(?:ING)?):)[A-Za-z_][\w.]*: ")
"""As a traceback ends, and Alembic's own refusals begin; a statement of many lines may follow."""

LONGEST = 100_000
"""Of a line that a service's program prints [characters]."""

LINGERING = 5.0
"""How long its output is read after its end [seconds]."""


def upgrade(projects: Sequence[Project], jobs: int, say: Say) -> Upgraded:
    """Each service by itself, so many at a time; one that fails does not stop the others.

    What became of it is what the server has at the end: Alembic ends well, too, when all that it did is rolled back.
    """
    begin_change()
    programs = Programs()
    done: list[Migrated] = []
    with ThreadPoolExecutor(max_workers=jobs) as pool, programs.ending_with_this():
        done.extend(pool.map(lambda project: _upgrade(project, programs, say), projects))
    return Upgraded(done)


def _upgrade(project: Project, programs: Programs, say: Say) -> Migrated:
    start = time.monotonic()
    before = after = said = None
    code = 0
    try:
        before = starting_point(project)
        said = _run(project, programs, ("upgrade", project.target), lambda line: say(f"{project.name}: {line}"))
        code = Unfinished.exit_code
        after = revisions(project)
        said = said or _short(project, programs, after)
    except EngardeError as error:
        said, code = said or str(error), code or error.exit_code
    state: State = "failed" if said else "up to date" if before == after else "migrated"
    say(f"{project.name}: {state}")
    return Migrated(project.name, state, before, after, time.monotonic() - start, said or "", code if said else 0)


def sql(project: Project) -> Iterator[str]:
    """The text, in pieces, that an upgrade would run from where the service is now.

    :raises EngardeError: they could not be written; nothing is run in any case.
    """
    start = starting_point(project)
    if len(start) > 1:
        raise Refused(f"{project.name} is at {', '.join(start)}, and Alembic writes no script that begins at several")
    now, to = "".join(start), project.target
    pieces: list[str] = []
    programs, words = Programs(), ("upgrade", f"{now}:{to}" if now else to, "--sql")
    with programs.ending_with_this():
        if failed := _run(project, programs, words, lambda line: None, pieces.append):
            raise EngardeError(f"{project.name}: {failed}")
    yield from pieces


def _short(project: Project, programs: Programs, after: Collection[str]) -> str | None:
    """Why a service is not at its head after Alembic has ended without an error, if it is not."""
    try:
        if not project.history().pending(after):
            return None
    except ConfigError:
        # It is read without being run: what its code or its command's own options make of it, Alembic alone knows.
        pass
    printed: list[str] = []
    if failed := _run(project, programs, ("heads",), lambda line: None, printed.append):
        return f"Alembic ended without an error, and then did not say where the history ends: {failed}"
    heads = [line.split()[0] for line in "".join(printed).splitlines() if line.endswith(" (head)")]
    if heads and {*heads} <= {*after}:
        return None
    ends = ", ".join(heads) or "a head that Alembic did not tell"
    return "\n".join(
        [
            f"Alembic ended without an error, but {quoted(project.service.schema_, VERSION_TABLE)} holds"
            f" {', '.join(after) or 'no revision'}, and the history ends at {ends}: what it did was not"
            " committed, or was done elsewhere",
            *_reasons(project),
        ]
    )


def _reasons(project: Project) -> Iterator[str]:
    """What the text of the service's env.py tells about it, and where to ask for the rest."""
    try:
        for finding in check(project.database.stack.stack, project.service, project.folder):
            if finding.check in ("transaction", "version table"):
                yield f"{finding.subject}: {finding.actual}"
    except ConfigError as error:
        yield str(error)
    words = ("bin/engarde", "alembic", "check", project.name, str(project.folder))
    yield f"`{' '.join(map(word, words))} --stack {project.database.stack.name}` says more"


def _run(
    project: Project, programs: Programs, words: Sequence[str], said: Say, printed: Say | None = None
) -> str | None:
    """Runs Alembic there; why it failed, if it did. What it logs is told, and printed where nobody wants that apart.

    :raises EngardeError: it was not started.
    """
    last: deque[str] = deque(maxlen=LAST)
    why: deque[str] = deque(maxlen=1)

    def log(text: str) -> None:
        # A service's own program may print its URL.
        for line in masked(text, project.access.password).split("\n"):
            if line.strip():
                said(line.rstrip())
                last.append(line.rstrip())
                if _SAYS_WHY.match(line):
                    why.append(line.rstrip())

    given = (
        environment(given_environment(), project.declared.environment)
        | _limits()
        | {project.declared.variable: project.access.url}
    )
    command = (*project.declared.command, *words)
    errors = subprocess.PIPE if printed else subprocess.STDOUT
    keeps = f"keeps the migrations of {project.name} waiting"
    watch = Watch(project.database.admin, project.service.role, keeps, said, APPLICATION)
    try:
        # Begun before the program: its sessions are those that are younger.
        with (
            watched(watch),
            programs.running(project.name, command, project.folder, given, errors=errors) as process,
        ):
            watch.end = partial(end, process)
            streams = [(process.stdout, printed or log), (process.stderr, log)]
            readers = [_reading(stream, to) for stream, to in streams if stream]
            process.wait()
    except OSError as error:
        return f"cannot run {command[0]} in {project.folder}: {error.strerror}"
    for reader in readers:
        # What it has left running elsewhere may hold its output open for ever.
        reader.join(LINGERING)
    told = [*(line for line in why if line not in last), *last]
    if watch.reason:
        return "\n".join([*told, watch.reason])
    return ("\n".join(told) or f"it ended with {process.returncode}") if process.returncode else None


def _limits() -> dict[str, str]:
    """How a driver that goes by libpq's variables knows its limits, and the server that its client is gone."""
    return {"PGAPPNAME": APPLICATION, "PGCONNECT_TIMEOUT": str(connect_timeout()), **NOTICING_OPTIONS}


def _reading(stream: IO[bytes], to: Say) -> Thread:
    # As it is: in Python's own text mode a carriage return becomes a line end, in a name of a script, too.
    text = TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="\n")

    def read() -> None:
        with text:
            for line in iter(lambda: text.readline(LONGEST), ""):
                to(line)

    thread = Thread(target=read, daemon=True)
    thread.start()
    return thread
