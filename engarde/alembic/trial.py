"""Tries an env.py before it is written: in the service's interpreter, without a database.

The service's own command for Alembic is run as `migrate` runs it, but with a configuration of its own, whose env.py
takes the place of the project's. So nobody has to know where the interpreter is, and the code sees what it would see.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from stat import S_IROTH
from threading import Thread
from typing import IO

from engarde.alembic import template
from engarde.alembic.carried import bound
from engarde.alembic.command import of
from engarde.alembic.programs import Programs, environment
from engarde.alembic.project import Project
from engarde.alembic.settings import INI
from engarde.declaration.address import Address
from engarde.declaration.delivery import UNSTATED
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.output.wording import first_few
from engarde.pulumi_cli.process import FOLDER
from engarde.server.credentials import url
from engarde.server.libpq import given_environment
from engarde.util.masking import masked
from engarde.util.quoting import word

LIMIT = 60.0
"""How long the service's code may take for being imported [seconds]."""

LARGEST = 10_000_000
"""Of what it prints [bytes]."""

LINGERING = 2.0
"""How long its output is read after its end [seconds]."""

LAST = 3
"""Lines of what it prints that are told where it does not come to its trial."""

NOWHERE = Address(host="no-database.invalid")
"""Where every URL leads that the code is given."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of one env.py."""

    tables: tuple[str, ...]
    """those of its metadata"""
    failed: str
    hidden: bool
    """its filters show autogenerate none of them"""


def refuse_broken(project: Project, service: Service, before: str, after: str) -> None:
    """Lets an env.py pass that can take the place of another.

    :raises Refused: it fails, its metadata has fewer tables, its filters hide them all, or it could not be tried.
    """
    new = _tried(project, service, after, old=False)
    if new.failed:
        raise Refused(f"nothing was written: what would be written fails there: {new.failed}")
    if new.hidden:
        raise Refused(
            "nothing was written: the filters that it would keep show autogenerate none of the models' tables, because"
            " to Alembic the login's first schema is None, not its name; the new env.py leaves out all other schemas"
            " itself, so take the filter of schemas out of the old one"
        )
    old = _tried(project, service, before, old=True)
    if lost := [each for each in old.tables if each not in new.tables]:
        raise Refused(
            f"nothing was written: the metadata of what would be written has no {first_few(lost, 5)}, and autogenerate"
            f" would drop what is missing there; import what fills it at the top of {project.env}, before"
            " target_metadata"
        )


def _tried(project: Project, service: Service, text: str, *, old: bool) -> _Tried:
    command = of(service)
    if not command.alembics:
        raise _untried(project, f"`{' '.join(map(word, command.words))}` does not end with Alembic's own name")
    token = secrets.token_hex(16)
    told = {
        "token": token,
        "old": old,
        "text": text,
        "imports": {} if old else _imports(text),
        "env": str(project.env),
        "folder": str(project.folder.resolve()),
        "ini": str(project.settings.ini or project.settings.folder / INI),
        "toml": str(project.settings.pyproject) if project.settings.in_pyproject else None,
        "section": project.settings.section,
    }
    with tempfile.TemporaryDirectory(prefix="engarde-") as made:
        folder = Path(made)
        if project.env.stat().st_mode & S_IROTH:
            # Its command may change to another OS user; what everybody may read there is no secret here.
            folder.chmod(0o755)
        (folder / INI).write_text(f"[alembic]\nscript_location = {made.replace('%', '%%')}\n")
        (folder / "env.py").write_text(template.text("trial.py"))
        (folder / "told.json").write_text(json.dumps(told))
        printed = _run(project, service, (*command.words, "-c", str(folder / INI), "current"))
    for line in reversed(printed):
        if line.startswith(token):
            return _read(project, line.removeprefix(token))
    last = "; ".join(each.strip() for each in printed[-LAST:] if each.strip())
    raise _untried(project, masked(last) or "it ended without a word")


def _imports(text: str) -> dict[str, tuple[str, str | None]]:
    """The names that the file imports for itself: the module, and what of it."""
    above = bound(text.partition(template.BEGIN)[0])
    return {name: value[1:] for name, value in above.items() if isinstance(value, tuple)}


def _read(project: Project, said: str) -> _Tried:
    """What it says of itself, which the service's code may have written."""
    try:
        found = json.loads(said)
        tables, failed, hidden = (found[name] for name in ("tables", "failed", "hidden"))
        return _Tried(tuple(map(str, tables or ())), masked(str(failed or "")), bool(hidden))
    except (ValueError, KeyError, TypeError):
        raise _untried(project, "its answer is none") from None


def _run(project: Project, service: Service, command: tuple[str, ...]) -> list[str]:
    """What it prints, in lines."""
    declared = service.migrations
    given = environment(given_environment(), declared.environment if declared else ()) | _urls(service)
    programs, printed = Programs(), bytearray()
    with (
        programs.ending_with_this(),
        programs.running(service.name, command, project.folder, given, errors=subprocess.STDOUT) as process,
    ):
        assert process.stdout
        reader = Thread(target=_read_into, args=(printed, process.stdout), daemon=True)
        reader.start()
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Refused(f"nothing was written: its trial has not ended within {LIMIT:.0f} seconds") from None
    # What it has left running elsewhere may hold its output open for ever.
    reader.join(LINGERING)
    return printed.decode("utf-8", "replace").splitlines()


def _read_into(printed: bytearray, stream: IO[bytes]) -> None:
    with stream:
        while len(printed) < LARGEST and (piece := stream.read(65536)):
            printed += piece


def _urls(service: Service) -> dict[str, str]:
    """The variables in which it looks for URLs, leading nowhere."""
    variables = (service.railway or UNSTATED).variables
    forms = {name: each.url_format or service.url_format for name, each in variables.items()}
    if service.migrations:
        forms[service.migrations.variable] = service.migrations.url_format or service.url_format
    return {name: url(form, NOWHERE, "none", service.role, "none") for name, form in forms.items()}


def _untried(project: Project, why: str) -> Refused:
    return Refused(
        f"nothing was written: it could not be tried with the service's own Alembic: {why}; say in the stack file how"
        f" that is run (`migrations: {{path: {os.path.relpath(project.folder, FOLDER)}, command: [...]}}`,"
        " docs/migrate.md), or write it untried with --untried"
    )
