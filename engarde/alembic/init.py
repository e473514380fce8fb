"""Writes an env.py that keeps a service's migrations in its own schema, and a whole project if there is none."""

import difflib
import errno
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IMODE
from typing import get_args

from engarde.alembic import template
from engarde.alembic.context import Environment
from engarde.alembic.default_driver import default_drivers
from engarde.alembic.environment import environment
from engarde.alembic.project import INI, NoProject, Project, project, words_of
from engarde.alembic.running import Runner, Said
from engarde.alembic.scripts import wanting
from engarde.alembic.source import Modules, source
from engarde.alembic.statements import bound
from engarde.alembic.template import Driver
from engarde.alembic.user_code import carried
from engarde.declaration.model import Service
from engarde.errors import ConfigError, Refused, Unfinished
from engarde.util.files import read_bytes, read_text
from engarde.util.masking import masked
from engarde.util.terminal import begin_change, first_few

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LINKS = (errno.ELOOP, errno.ENOTDIR)
"""The errors of opening a link as a file and as a folder."""

FRESH = "migrations"
"""The folder of env.py in a new project."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file, before and after."""

    root: Path
    """the project's folder"""
    file: Path
    before: str | None = field(repr=False)
    """None if the file does not exist"""
    after: str = field(repr=False)
    kept: Path | None
    """where the old file is kept; None if it is as `init` has written it"""
    left: tuple[str, ...] = ()
    """the lines of the old file that are not in the new one, with passwords masked"""

    def shown(self, folder: Path) -> str:
        """The difference, with passwords masked."""
        name = os.path.relpath(self.file, folder)
        old, new = (self.before or "").splitlines(), self.after.splitlines()
        named = "/dev/null" if self.before is None else name
        return masked("\n".join(difflib.unified_diff(old, new, named, name, lineterm="")))


def changes(path: Path, service: Service, driver: Driver | None) -> tuple[Change, ...]:
    """The files to write in the project of this folder or this alembic.ini; empty if they are up to date.

    :raises ConfigError: the project or its env.py cannot be read, or the env.py is a link.
    :raises Refused: a part of the old env.py that may fill or filter the metadata would be lost.
    """
    try:
        wanted = [_env(project(path, words_of(service)), service, driver)]
    except NoProject:
        wanted = _fresh(path.parent if path.is_file() else path, service, driver)
    return tuple(change for change in wanted if change.before != change.after)


def _fresh(folder: Path, service: Service, driver: Driver | None) -> list[Change]:
    root = folder.resolve()
    if not root.parent.is_dir():
        raise ConfigError(
            f"{folder}: its parent folder does not exist. If the path is right, create the parent first"
        ) from None
    files = {INI: template.text(INI), f"{FRESH}/script.py.mako": template.text("script.py.mako")}
    if taken := [str(folder / file) for file in files if os.path.lexists(folder / file)]:
        raise ConfigError(
            f"{', '.join(taken)} exists, but this is no Alembic project: {INI} has no section [alembic]"
        ) from None
    _refuse_links(root, root / FRESH / "env.py")
    files[f"{FRESH}/env.py"] = _new_env(service, driver, root)
    return [Change(root, root / file, None, text, None) for file, text in files.items()]


def try_out(changes: Sequence[Change], path: Path, service: Service) -> None:
    """Tries the file that would replace an env.py.

    :raises Refused: it fails, its metadata has fewer tables, its filters hide all tables, or it could not be tried.
    """
    change = next((change for change in changes if change.before is not None), None)
    if change is None:
        return
    there = project(path, words_of(service))
    above = bound(change.after.partition(template.BEGIN)[0])
    imports = {name: value[1:] for name, value in above.items() if isinstance(value, tuple)}
    told: dict[str, object] = {"mode": "offline", "imports": imports}

    def read(new: Said, old: Said) -> tuple[str, bool, list[str]]:
        kept = {*map(str, new["tables"] or ())}
        lost = [table for table in map(str, old["tables"] or ()) if table not in kept]
        return masked(str(new["failed"] or "")), bool(new["hidden"]), lost

    trial = Runner(
        there,
        service,
        refused="nothing was written: the new env.py could not be tried",
        late="nothing was written: the trial of the new env.py",
        otherwise=", or use --untried to write without a trial",
    )
    runs = [{**told, "kind": "new", "text": change.after}, {**told, "kind": "old", "text": change.before}]
    failed, hidden, lost = trial.run(runs, read)
    if failed:
        raise Refused(f"nothing was written: the new env.py fails when it is tried: {failed}")
    if hidden:
        raise Refused(
            "nothing was written: the old filters would hide all tables of the models from autogenerate, because to"
            " Alembic the login's first schema is None, not its name. The new env.py leaves out all other schemas"
            " itself: remove the filter of schemas from the old one"
        )
    if lost:
        raise Refused(
            f"nothing was written: the metadata of the new env.py would lack {first_few(lost, 5)}, and autogenerate"
            f" would drop them. Import the modules that fill the metadata at the top of {there.env}, before"
            " target_metadata"
        )


def write(changes: Sequence[Change]) -> None:
    """Writes all files or none; each file is whole at any moment, and an old file is kept before it is replaced.

    :raises Refused: a file has changed since it was read, or cannot be written; nothing is changed.
    :raises Unfinished: the same, and files that were written before cannot be restored.
    """
    begin_change()
    back = ExitStack()
    with ExitStack() as folders:
        try:
            for change in changes:
                try:
                    _put(change, _folder(change, folders, back), back)
                except OSError as error:
                    why = "a part of its path has become a link" if error.errno in _LINKS else error.strerror
                    raise Refused(f"{change.file} cannot be written: {why}") from None
        except BaseException as failed:
            try:
                back.close()
            except OSError as error:
                there = ", ".join(str(change.file) for change in changes if os.path.lexists(change.file))
                said = f"{failed}. Files that were written before could not be restored ({error.strerror}): {there}"
                raise Unfinished(said) from None
            raise


def _folder(change: Change, folders: ExitStack, back: ExitStack) -> int:
    """Opens the file's folder, so that a later change of its path has no effect; follows no link in the project."""
    if not change.root.is_dir():
        change.root.mkdir()
        back.callback(change.root.rmdir)
    opened = os.open(change.root, _FOLDER)
    folders.callback(os.close, opened)
    for name in change.file.relative_to(change.root).parent.parts:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=opened)
            back.callback(os.rmdir, name, dir_fd=opened)
        opened = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=opened)
        folders.callback(os.close, opened)
    return opened


def _put(change: Change, folder: int, back: ExitStack) -> None:
    name, draft = change.file.name, f".{change.file.name}.{secrets.token_hex(4)}"
    if (before := _read(change.file, name, folder)) != change.before:
        raise Refused(f"{change.file} has changed since it was read. Nothing was written; run the command again")
    old = None if before is None else os.stat(name, dir_fd=folder, follow_symlinks=False)
    if change.kept:
        _new(change.kept.name, read_bytes(name, folder=folder), old, folder)
        back.callback(os.unlink, change.kept.name, dir_fd=folder)
    try:
        _new(draft, change.after.encode(), old, folder)
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        if before is None:
            back.callback(os.unlink, name, dir_fd=folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)


def _new(name: str, content: bytes, old: os.stat_result | None, folder: int) -> None:
    """Creates a file with the permissions of the old one."""
    opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
    with os.fdopen(opened, "wb") as writing:
        if old:
            os.fchmod(opened, S_IMODE(old.st_mode))
        writing.write(content)


def _env(there: Project, service: Service, driver: Driver | None) -> Change:
    root, file = there.folder.resolve(), there.env
    _refuse_links(root, file)
    before = _read(file)
    if before is None:
        return Change(root, file, None, _new_env(service, driver, root), None)
    if there.flask:
        raise Refused(
            f"{file} belongs to Flask-Migrate, which takes Alembic's options from the application's code. Nothing was"
            f" written. Set them there: `Migrate(app, db, version_table_schema={service.schema_!r}, ...)`."
            f" `bin/engarde alembic check {service.name} {there.folder}` lists all of them"
        )
    facts = environment(source(file, Modules((file.parent,))))
    if facts.of_several:
        raise Refused(
            f"{file}:{facts.of_several[0].line} is for several databases. Nothing was written. Make a project for the"
            f" database of {service.name} alone, with its version files, and `def upgrade() -> None:` in them"
        )
    chosen = driver or _old_driver(facts, before, _usual(service, root))
    own, left, lost = template.yours(before), tuple[str, ...](), tuple[str, ...]()
    if own is None:
        yours, left, lost = carried(facts, bound(template.env(service, chosen, "")))
        own = yours or template.text("yours.py")
    elif not template.is_untouched(before):
        left, lost = template.edited(before, service)
    # Version files that our env.py could not run.
    refused = [
        f"{os.path.relpath(function.file, root)}, line {function.line}: {function.name}"
        f"({', '.join(function.arguments)}) needs arguments that only an env.py for several databases passes"
        for function in reversed(wanting(there))
    ]
    if refused := [*refused, *(f"{file}, {reason}" for reason in lost)]:
        listed = "".join(f"\n{masked(reason)}" for reason in refused)
        raise Refused(f"nothing was written, because this would be lost, or fail with the new env.py:{listed}")
    kept = None if template.is_untouched(before) else _free(file)
    after = template.env(service, chosen, own)
    return Change(root, file, before, after, kept, tuple(map(masked, left)))


def _refuse_links(root: Path, file: Path) -> None:
    below = [root.joinpath(*file.relative_to(root).parts[:depth]) for depth in range(1, len(file.parts))]
    if links := [str(part) for part in below if part.is_symlink()]:
        raise ConfigError(
            f"{links[0]} is a symbolic link, and files are not written through links. Nothing was written. Replace the"
            " link"
        )


def _new_env(service: Service, driver: Driver | None, root: Path) -> str:
    return template.env(service, driver or _usual(service, root) or "psycopg", template.text("yours.py"))


def _usual(service: Service, root: Path) -> Driver | None:
    """The driver that the service's URLs name, or else its SQLAlchemy's default; None if neither is known."""
    form = (service.migrations and service.migrations.url_format) or service.url_format
    drivers: tuple[Driver, ...] = get_args(Driver)
    named = [driver for driver in drivers if form == f"sqlalchemy+{driver}"]
    return next(iter(named or [driver for driver in drivers if default_drivers(root) == {driver}]), None)


def _old_driver(facts: Environment, old: str, usual: Driver | None) -> Driver:
    """The driver of an env.py, as far as its text shows it."""
    fitting: tuple[Driver, ...] = ("asyncpg", "psycopg") if facts.asynchronous else ("psycopg", "psycopg2")
    if not facts.engines:
        fitting = get_args(Driver)
    named = [driver for driver in fitting if re.search(rf"postgresql\+{driver}\b", old)]
    return named[0] if len(named) == 1 else usual if usual in fitting else fitting[0]


def _read(file: Path, name: str | None = None, folder: int | None = None) -> str | None:
    try:
        return read_text(name or file, folder=folder)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} cannot be read: it is not UTF-8") from None
    except OSError as error:
        if folder is None:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
        raise


def _free(file: Path) -> Path:
    """The first of the names for the old file that is not taken."""
    names = [f"{file.name}.orig", *(f"{file.name}.orig{number}" for number in range(2, 1000))]
    return next(place for name in names if not os.path.lexists(place := file.with_name(name)))
