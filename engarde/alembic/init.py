"""Writes the env.py that keeps a service's migrations in its own schema, and a project where there is none."""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engarde.alembic import template
from engarde.alembic.carried import carried
from engarde.alembic.environment import environment
from engarde.alembic.project import project
from engarde.alembic.reader import Reader
from engarde.alembic.settings import INI, is_project
from engarde.alembic.source import Source, source
from engarde.alembic.template import Driver
from engarde.errors import ConfigError, Refused
from engarde.masking import masked
from engarde.model import Service

FRESH = "migrations"
"""Where a new project has its env.py."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file, as it is and as it would be."""

    file: Path
    before: str | None = field(repr=False)
    """None: there is no such file"""
    after: str = field(repr=False)
    kept: Path | None
    """where the old one goes, unless nothing in it is anybody's own"""

    def shown(self, folder: Path) -> str:
        """The difference; passwords that stood in the old file are not in it."""
        name = os.path.relpath(self.file, folder)
        old = "" if self.before is None else self.before
        lines = difflib.unified_diff(
            old.splitlines(),
            self.after.splitlines(),
            name if self.before is not None else "/dev/null",
            name,
            lineterm="",
        )
        return masked("\n".join(lines))


def changes(path: Path, service: Service, driver: Driver | None) -> tuple[Change, ...]:
    """What would be written in the project in this folder, or whose alembic.ini this is; nothing where all is so.

    :raises ConfigError: the project or its env.py cannot be read.
    """
    folder = path.parent if path.is_file() else path
    if is_project(folder):
        return _made([_env(project(folder).env, service, driver)])
    files = [(folder / INI, template.text(INI)), (folder / FRESH / "script.py.mako", template.text("script.py.mako"))]
    if taken := [str(file) for file, _ in files if file.exists()]:
        raise ConfigError(f"{', '.join(taken)} is there, but no Alembic project: {INI} has no [alembic]")
    return _made(
        [*(Change(file, None, text, None) for file, text in files), _env(folder / FRESH / "env.py", service, driver)]
    )


def write(changes: Sequence[Change]) -> None:
    """Writes them; each file is whole at any moment, and what is kept is there before its place is taken.

    :raises Refused: a file has been changed since it was read, or cannot be written.
    """
    for each in changes:
        if _read(each.file) != each.before:
            raise Refused(f"{each.file} has just been changed by somebody else; run this again")
        try:
            _write(each)
        except OSError as error:
            raise Refused(f"{each.file} cannot be written: {error.strerror}") from None


def _write(change: Change) -> None:
    change.file.parent.mkdir(parents=True, exist_ok=True)
    if change.kept:
        shutil.copy2(change.file, change.kept)
    draft = change.file.with_name(f".{change.file.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(change.after, encoding="utf-8")
        if change.before is not None:
            shutil.copymode(change.file, draft)
        draft.replace(change.file)
    finally:
        draft.unlink(missing_ok=True)


def _made(wanted: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(each for each in wanted if each.before != each.after)


def _env(file: Path, service: Service, driver: Driver | None) -> Change:
    file = file.resolve()
    before = _read(file)
    if before is None:
        return Change(file, None, template.env(service, driver or _usual(service), template.text("yours.py")), None)
    old = source(file, (file.parent,))
    chosen = driver or _of(old, service)
    own = template.yours(before)
    if own is None:
        own = carried(old) or template.text("yours.py")
    kept = None if template.is_untouched(before) else _free(file)
    return Change(file, before, template.env(service, chosen, own), kept)


def _of(old: Source, service: Service) -> Driver:
    """The one that it has now, as far as that is a choice between synchronous and not."""
    found = environment(old, Reader(old.roots))
    usual = _usual(service)
    if found.asynchronous:
        return "asyncpg"
    return "psycopg" if usual == "asyncpg" and found.engines else usual


def _usual(service: Service) -> Driver:
    """The one that the service's URLs name."""
    form = (service.migrations and service.migrations.url_format) or service.url_format
    named: dict[str, Driver] = {"sqlalchemy+asyncpg": "asyncpg", "sqlalchemy+psycopg2": "psycopg2"}
    return named.get(form, "psycopg")


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None


def _free(file: Path) -> Path:
    """The first name beside it that nothing has."""
    names = [f"{file.name}.orig", *(f"{file.name}.orig{number}" for number in range(2, 1000))]
    return next(place for name in names if not os.path.lexists(place := file.with_name(name)))
