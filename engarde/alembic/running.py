"""Runs an env.py in the service's own interpreter, with a database of nobody's, and reads what it has told Alembic.

The service's own command for Alembic is run as `migrate` runs it, but with a configuration of its own, whose env.py
loads the text in place of the project's. So nobody has to know where the interpreter is, and the code sees what it
would see, but for its database: its URLs lead nowhere, and SQLAlchemy is kept from connecting.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_IROTH
from threading import Thread
from typing import IO, Any

from engarde.alembic import template
from engarde.alembic.project import Project, command, words_of
from engarde.alembic.settings import INI
from engarde.alembic.statements import bound
from engarde.declaration.address import Address
from engarde.declaration.delivery import UNSTATED
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.migrate.programs import Programs, environment
from engarde.pulumi_cli.process import FOLDER
from engarde.server.libpq import given_environment
from engarde.server.urls import url
from engarde.util import timeouts
from engarde.util.masking import masked
from engarde.util.quoting import word

LARGEST = 10_000_000
"""Of what it prints [bytes]."""

LINGERING = 2.0
"""How long its output is read after its end [seconds]."""

LAST = 3
"""Lines of what it prints that are told where it is not run to its end."""

NOWHERE = Address(host="no-database.invalid")
"""Where every URL leads that the code is given."""


@dataclass(frozen=True, slots=True)
class Run:
    """One text to be run as the env.py of a project."""

    name: str
    text: str
    more: Mapping[str, object]
    """what else the program in `templates/run.py.txt` is told"""


Said = Mapping[str, Any]
"""What a run has said of itself. The service's code may have written it: it may be anything."""


class NotRun(Exception):
    """It could not be run, or has said nothing of itself, for this reason."""


class NotEnded(NotRun):
    """It has taken too long."""


def run(project: Project, service: Service, runs: Sequence[Run]) -> tuple[Said, ...]:
    """Runs them all at the same time, each in a process of its own.

    :raises NotRun: one of them could not be run to its end.
    """
    called = command(words_of(service))
    if not called.alembics:
        raise NotRun(f"`{' '.join(map(word, called.words))}` does not end with Alembic's own name")
    programs = Programs()
    done: list[Said] = []
    with ThreadPoolExecutor(max_workers=len(runs)) as pool, programs.ending_with_this():
        done.extend(pool.map(lambda one: _run(project, service, called.words, one, programs), runs))
    return tuple(done)


def untried(project: Project) -> str:
    """How a service's Alembic that could not be run is made known."""
    path = os.path.relpath(project.folder, FOLDER)
    return f"say in the stack file how that is run (`migrations: {{path: {path}, command: [...]}}`, docs/migrate.md)"


def variables(service: Service) -> tuple[str, ...]:
    """Those in which it looks for URLs."""
    own = (service.migrations.variable,) if service.migrations else ()
    return tuple(dict.fromkeys((*(service.railway or UNSTATED).variables, *own)))


def _run(project: Project, service: Service, words: Sequence[str], one: Run, programs: Programs) -> Said:
    token = secrets.token_hex(16)
    told = {
        "token": token,
        "text": one.text,
        "env": str(project.env),
        "folder": str(project.folder.resolve()),
        "ini": str(project.settings.ini or project.settings.folder / INI),
        "toml": str(project.settings.pyproject) if project.settings.in_pyproject else None,
        "section": project.settings.section,
        **one.more,
    }
    with tempfile.TemporaryDirectory(prefix="engarde-") as made:
        folder = Path(made)
        if project.env.stat().st_mode & S_IROTH:
            # Its command may change to another OS user; what everybody may read there is no secret here.
            folder.chmod(0o755)
        (folder / INI).write_text(f"[alembic]\nscript_location = {made.replace('%', '%%')}\n")
        (folder / "env.py").write_text(template.text("run.py"))
        (folder / "told.json").write_text(json.dumps(told))
        whole = (*words, "-c", str(folder / INI), "current")
        printed = _printed(project, service, f"{service.name} ({one.name})", whole, programs)
    for line in reversed(printed):
        if line.startswith(token):
            with suppress(ValueError):
                if isinstance(said := json.loads(line.removeprefix(token)), dict):
                    return said
            raise NotRun("its answer is none")
    last = "; ".join(line.strip() for line in printed[-LAST:] if line.strip())
    raise NotRun(masked(last) or "it ended without a word")


def _printed(project: Project, service: Service, name: str, words: Sequence[str], programs: Programs) -> list[str]:
    """What it prints, in lines."""
    declared = service.migrations
    given = environment(given_environment(), declared.environment if declared else ()) | _urls(service)
    printed, limit = bytearray(), timeouts.seconds("alembic")
    with programs.running(name, words, project.folder, given, errors=subprocess.STDOUT) as process:
        assert process.stdout
        reader = Thread(target=_read_into, args=(printed, process.stdout), daemon=True)
        reader.start()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise NotEnded(f"has not ended within {limit:.0f} seconds") from None
    # What it has left running elsewhere may hold its output open for ever.
    reader.join(LINGERING)
    return printed.decode("utf-8", "replace").splitlines()


def _read_into(printed: bytearray, stream: IO[bytes]) -> None:
    with stream:
        while len(printed) < LARGEST and (piece := stream.read(65536)):
            printed += piece


def _urls(service: Service) -> dict[str, str]:
    """Its variables, leading nowhere: each to a database of another name, and with a % in the password."""
    delivered = (service.railway or UNSTATED).variables
    forms = {name: variable.url_format or service.url_format for name, variable in delivered.items()}
    if service.migrations:
        forms[service.migrations.variable] = service.migrations.url_format or service.url_format
    return {
        name: url(forms[name], NOWHERE, database(place), service.role, "no%ne")
        for place, name in enumerate(variables(service))
    }


def database(place: int) -> str:
    """The database to which the variable in this place leads."""
    return f"none{place or ''}"


def refuse_broken(project: Project, service: Service, before: str, after: str) -> None:
    """Lets an env.py pass that can take the place of another.

    :raises Refused: it fails, its metadata has fewer tables, its filters hide them all, or it could not be tried.
    """
    imports = {
        name: value[1:] for name, value in bound(after.partition(template.BEGIN)[0]).items() if isinstance(value, tuple)
    }
    texts = {"new": after, "old": before}
    try:
        runs = [Run(kind, text, {"kind": kind, "mode": "offline", "imports": imports}) for kind, text in texts.items()]
        new, old = run(project, service, runs)
        failed, hidden = masked(str(new["failed"] or "")), bool(new["hidden"])
        lost = [table for table in map(str, old["tables"] or ()) if table not in [*map(str, new["tables"] or ())]]
    except NotEnded as error:
        raise Refused(f"nothing was written: its trial {error}") from None
    except (NotRun, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, NotRun) else "its answer is none"
        raise Refused(
            f"nothing was written: it could not be tried with the service's own Alembic: {why}; {untried(project)}, or"
            " write it untried with --untried"
        ) from None
    if failed:
        raise Refused(f"nothing was written: what would be written fails there: {failed}")
    if hidden:
        raise Refused(
            "nothing was written: the filters that it would keep show autogenerate none of the models' tables, because"
            " to Alembic the login's first schema is None, not its name; the new env.py leaves out all other schemas"
            " itself, so take the filter of schemas out of the old one"
        )
    if lost:
        listed = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise Refused(
            f"nothing was written: the metadata of what would be written has no {listed}, and autogenerate would drop"
            f" what is missing there; import what fills it at the top of {project.env}, before target_metadata"
        )
