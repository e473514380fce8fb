"""Where the parts of an Alembic project are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.command import USUAL, command
from engarde.alembic.settings import INI, Settings, found, missing
from engarde.errors import ConfigError

FLASKS = "migrations"
"""Where Flask-Migrate has its alembic.ini, which names no script_location, and its env.py beside it."""


@dataclass(frozen=True, slots=True)
class Project:
    """One Alembic project."""

    folder: Path
    ini: Path
    """its alembic.ini, or the pyproject.toml that stands in its place"""
    script_location: Path
    env: Path
    """its env.py, which may be missing"""
    versions: tuple[Path, ...]
    """the folders of its revisions"""
    sources: tuple[Path, ...]
    """where its own modules are imported from"""
    recursive: bool
    """whether the folders below those count, too"""
    settings: Settings
    flask: bool = False
    """Flask-Migrate runs it, and tells Alembic what the application's code says"""


def project(path: Path | str, called: Sequence[str] = USUAL) -> Project:
    """The project in this folder, or whose alembic.ini or pyproject.toml this is.

    :param called: the command by which the service calls Alembic, which may name a file and a section of it.
    :raises ConfigError: there is none, or it does not say where its parts are.
    """
    given = Path(path).absolute()
    if not given.exists():
        raise ConfigError(f"{given}: no such folder")
    folder, ini, section = _named(given, called)
    there = found(folder, ini, section)
    if there is None:
        flask = folder / FLASKS
        there = found(flask, flask / INI, section) if _is_flasks(flask) else None
        if there is None or there.text("script_location"):
            raise missing(folder, ini, section)
    if not (text := there.text("script_location")):
        if there.ini and _is_flasks(there.folder):
            return _flasks(there)
        raise ConfigError(f"{there.file}: no script_location")
    sources = tuple(dict.fromkeys((*there.paths("prepend_sys_path"), folder, folder / "src")))
    location = _folder(there, sources, "script_location", text)
    if not location.is_dir():
        raise ConfigError(f"{there.file}:{there.line('script_location')}: no such folder: {location}")
    return _made(there, location, sources, flask=False)


def is_project(path: Path, called: Sequence[str]) -> bool:
    """Whether there are options of an Alembic project.

    :raises ConfigError: a file that may have them does not parse.
    """
    folder, ini, section = _named(path.absolute(), called)
    return found(folder, ini, section) is not None or _is_flasks(folder / FLASKS)


def _named(given: Path, called: Sequence[str]) -> tuple[Path, Path, str]:
    """The folder in which Alembic runs, its alembic.ini, and the section of that."""
    told = command(called)
    folder = given.parent if given.is_file() else given
    return folder, given if given.suffix == ".ini" else folder / (told.ini or INI), told.section


def _is_flasks(folder: Path) -> bool:
    return (folder / INI).is_file() and (folder / "env.py").is_file()


def _flasks(there: Settings) -> Project:
    root = there.folder.parent
    return _made(there, there.folder, (root, root / "src"), flask=True)


def _made(there: Settings, location: Path, sources: tuple[Path, ...], *, flask: bool) -> Project:
    named = [_folder(there, sources, "version_locations", str(each)) for each in there.paths("version_locations")]
    versions = tuple(named) or (location / "versions",)
    recursive = there.flag("recursive_version_locations")
    folder = location.parent if flask else there.folder
    return Project(folder, there.file, location, location / "env.py", versions, sources, recursive, there, flask)


def _folder(there: Settings, sources: tuple[Path, ...], name: str, text: str) -> Path:
    """A folder that is named by its path, or as `package:folder`, in the project itself."""
    relative = text.removeprefix(f"{there.folder}/")
    if Path(relative).is_absolute() or ":" not in relative:
        folder = (there.folder / relative).resolve()
    else:
        package, *below = relative.split(":")
        candidates = [source.joinpath(*package.split("."), *below) for source in sources]
        folder = next((each for each in candidates if each.is_dir()), candidates[0]).resolve()
    if not folder.is_relative_to(there.folder.resolve()):
        raise ConfigError(f"{there.file}:{there.line(name)}: {name} leads out of the project: {folder}")
    return folder
