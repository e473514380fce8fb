"""Where the parts of an Alembic project are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.settings import Settings, settings
from engarde.errors import ConfigError


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


def project(path: Path | str) -> Project:
    """The project in this folder, or whose alembic.ini or pyproject.toml this is.

    :raises ConfigError: there is none, or it does not say where its parts are.
    """
    given = Path(path).absolute()
    if not given.exists():
        raise ConfigError(f"{given}: no such folder")
    folder = given if given.is_dir() else given.parent
    found = settings(folder)
    text = found.text("script_location")
    if not text:
        raise ConfigError(f"{found.file}: no script_location")
    sources = tuple(dict.fromkeys((*found.paths("prepend_sys_path"), folder, folder / "src")))
    location = _folder(found, sources, "script_location", text)
    if not location.is_dir():
        raise ConfigError(f"{found.file}:{found.line('script_location')}: no such folder: {location}")
    named = [_folder(found, sources, "version_locations", str(each)) for each in found.paths("version_locations")]
    versions = tuple(named) or (location / "versions",)
    recursive = found.flag("recursive_version_locations")
    return Project(folder, found.file, location, location / "env.py", versions, sources, recursive, found)


def _folder(found: Settings, sources: tuple[Path, ...], name: str, text: str) -> Path:
    """A folder that is named by its path, or as `package:folder`, in the project itself."""
    relative = text.removeprefix(f"{found.folder}/")
    if Path(relative).is_absolute() or ":" not in relative:
        folder = (found.folder / relative).resolve()
    else:
        package, *below = relative.split(":")
        candidates = [source.joinpath(*package.split("."), *below) for source in sources]
        folder = next((each for each in candidates if each.is_dir()), candidates[0]).resolve()
    if not folder.is_relative_to(found.folder.resolve()):
        raise ConfigError(f"{found.file}:{found.line(name)}: {name} leads out of the project: {folder}")
    return folder
