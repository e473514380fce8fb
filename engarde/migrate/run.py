"""Runs `alembic upgrade head` for each service, and reports the result of each."""

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
"""How many lines of a failure are reported, besides the one that names the error."""

_SAYS_WHY = re.compile(r"(?!(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|DEBUG|INFO|NOTICE|WARN(?:ING)?):)[A-Za-z_][\w.]*: ")
"""Matches the last line of a traceback, and Alembic's own errors; a statement of many lines may follow."""

LONGEST = 100_000
"""The longest line that is read of a service's program [characters]."""

LINGERING = 5.0
"""How long a program's output is read after the program has ended [seconds]."""


def upgrade(projects: Sequence[Project], jobs: int, say: Say) -> Upgraded:
    """Upgrades each service, `jobs` at a time; one that fails does not stop the others.

    The result is what the server has at the end: Alembic ends with 0 even if everything that it did is rolled back.
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
    """The SQL, in pieces, that an upgrade would run from the service's present revision.

    :raises EngardeError: Alembic could not write it; nothing is run in any case.
    """
    start = starting_point(project)
    if len(start) > 1:
        raise Refused(
            f"{project.name} is at {', '.join(start)}, and Alembic cannot write a script that starts at several"
            " revisions"
        )
    now, to = "".join(start), project.target
    pieces: list[str] = []
    programs, words = Programs(), ("upgrade", f"{now}:{to}" if now else to, "--sql")
    with programs.ending_with_this():
        if failed := _run(project, programs, words, lambda line: None, pieces.append):
            raise EngardeError(f"{project.name}: {failed}")
    yield from pieces


def _short(project: Project, programs: Programs, after: Collection[str]) -> str | None:
    """Why a service is not at its head although Alembic has ended without an error; None if it is at its head."""
    try:
        if not project.history().pending(after):
            return None
    except ConfigError:
        # The history depends on code or options that only Alembic can evaluate.
        pass
    printed: list[str] = []
    if failed := _run(project, programs, ("heads",), lambda line: None, printed.append):
        return f"Alembic ended without an error, but `alembic heads` failed: {failed}"
    heads = [line.split()[0] for line in "".join(printed).splitlines() if line.endswith(" (head)")]
    if heads and {*heads} <= {*after}:
        return None
    ends = ", ".join(heads) or "a head that `alembic heads` did not name"
    return "\n".join(
        [
            f"Alembic ended without an error, but {quoted(project.service.schema_, VERSION_TABLE)} holds"
            f" {', '.join(after) or 'no revision'}, and the history ends at {ends}: the migrations were not committed,"
            " or ran in another schema or database",
            *_reasons(project),
        ]
    )


def _reasons(project: Project) -> Iterator[str]:
    """Reasons in the text of the service's env.py, and the command that says more."""
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
    """Runs Alembic in the project's folder; returns why it failed, None if it did not.

    :param said: gets each line of its log; without `printed`, also each line of its output.
    :param printed: gets its output.
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
        # The watch starts first: sessions that are younger than it are the program's.
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
        # A process that it has left running may keep its output open for ever.
        reader.join(LINGERING)
    told = [*(line for line in why if line not in last), *last]
    if watch.reason:
        return "\n".join([*told, watch.reason])
    failed = process.returncode != 0
    return ("\n".join(told) or f"{command[0]} ended with exit code {process.returncode}") if failed else None


def _limits() -> dict[str, str]:
    """libpq's variables, from which a driver takes its limits, and the server notices that its client is gone."""
    return {"PGAPPNAME": APPLICATION, "PGCONNECT_TIMEOUT": str(connect_timeout()), **NOTICING_OPTIONS}


def _reading(stream: IO[bytes], to: Say) -> Thread:
    # Python's own text mode would make line ends of carriage returns, also in names of a script.
    text = TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="\n")

    def read() -> None:
        with text:
            for line in iter(lambda: text.readline(LONGEST), ""):
                to(line)

    thread = Thread(target=read, daemon=True)
    thread.start()
    return thread
