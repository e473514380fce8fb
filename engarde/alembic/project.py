"""Where the parts of an Alembic project are, its options as Alembic reads them, and its command."""

import configparser
import os
import re
import tomllib
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engarde.declaration.model import Service
from engarde.errors import ConfigError
from engarde.util.files import read_text

INI = "alembic.ini"
PYPROJECT = "pyproject.toml"
SECTION = "alembic"
URL = "sqlalchemy.url"

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_OLD_SEPARATOR = re.compile(r", *|(?: +)")
_OLD_PATH_SEPARATOR = re.compile(r", *|(?: +)|\:")

USUAL = ("alembic",)

FLASKS = "migrations"
"""Flask-Migrate's default folder."""


class NoProject(ConfigError):
    """A folder has no options of an Alembic project."""


# ---- The command.


@dataclass(frozen=True, slots=True)
class Command:
    """One command, parsed."""

    words: tuple[str, ...]
    """all words except the two options below"""
    ini: str | None = None
    """the file that `-c` names, relative to the project's folder"""
    section: str = SECTION
    """the section of this file that `-n` names"""
    alembics: bool = True
    """it is Alembic's own command, by its name"""
    flasks: str | None = None
    """for `flask db`: Flask-Migrate's folder, with alembic.ini and env.py"""


def words_of(service: Service) -> Sequence[str]:
    """The command with which a service calls Alembic."""
    return service.migrations.command if service.migrations else USUAL


def command(words: Sequence[str]) -> Command:
    """Parses a command; words before Alembic's own name belong to another program."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    flask = _end(words, "flask")
    if flask and "db" in words[flask:]:
        parser.add_argument("-d", "--directory", nargs="?", const="", default=FLASKS)
        told, _ = parser.parse_known_args(words[words.index("db", flask) :])
        return Command(tuple(words), alembics=False, flasks=told.directory)
    parser.add_argument("-c", "--config", action="append", nargs="?", const="", default=[])
    parser.add_argument("-n", "--name", nargs="?", const="", default=SECTION)
    start = _end(words, "alembic")
    told, kept = parser.parse_known_args(words[start or len(words) :])
    files = [file for file in told.config if file and not file.endswith(".toml")]
    ini = next((file for file in reversed(files) if file.endswith(".ini")), next(iter(files), None))
    return Command((*words[: start or len(words)], *kept), ini, told.name, start is not None)


def _end(words: Sequence[str], program: str) -> int | None:
    """Where the arguments of a program begin."""
    return next((place for place in range(len(words), 0, -1) if Path(words[place - 1]).name == program), None)


# ---- Its options.


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one project; those of alembic.ini override those of pyproject.toml."""

    folder: Path
    """where Alembic runs"""
    ini: Path | None
    pyproject: Path | None
    in_ini: Mapping[str, str] = field(repr=False)
    """as they are written; they may hold a password"""
    in_pyproject: Mapping[str, object] = field(repr=False)
    section: str = SECTION
    """the section of alembic.ini"""

    @property
    def file(self) -> Path:
        file = self.ini or self.pyproject
        assert file
        return file

    def text(self, name: str) -> str | None:
        """An option that is one string, with `%(here)s` and the like replaced.

        :raises ConfigError: it refers to an option that does not exist, or is not a string.
        """
        if name in self.in_ini:
            return self._interpolated(name)
        value = self.in_pyproject.get(name)
        return None if value is None else self._filled(name, value)

    def flag(self, name: str) -> bool:
        if name in self.in_ini:
            return self._interpolated(name) == "true"
        return self.in_pyproject.get(name) is True

    def paths(self, name: str) -> tuple[Path, ...]:
        """An option that is a list of folders, relative to the folder where Alembic runs: the project's."""
        if text := self.in_ini.get(name) and self._interpolated(name):
            return tuple(self.folder / part for part in self._parts(name, text))
        value = self.in_pyproject.get(name)
        return tuple(self.folder / self._filled(name, item) for item in value) if isinstance(value, list) else ()

    def line(self, name: str) -> int:
        """The line of an option in its file, from 1."""
        pattern = re.compile(rf'\s*["\']?{re.escape(name)}["\']?\s*[=:]')
        file = self.ini if name in self.in_ini else self.pyproject
        lines = read_text(file).splitlines() if file else []
        header = f"[{self.section}]"
        start = lines.index(header) if file == self.ini and header in lines else 0
        return next((number for number, text in enumerate(lines[start:], start + 1) if pattern.match(text)), 1)

    def _parts(self, name: str, text: str) -> list[str]:
        keys = ["path_separator", *(["version_path_separator"] if name == "version_locations" else [])]
        separator = next((self._interpolated(key) for key in keys if key in self.in_ini), None)
        if separator is None:
            return (_OLD_SEPARATOR if name == "version_locations" else _OLD_PATH_SEPARATOR).split(text)
        if separator not in _SEPARATORS:
            raise ConfigError(f"{self.ini}: path_separator must be one of {', '.join(_SEPARATORS)}")
        return [part.strip() for part in text.split(_SEPARATORS[separator]) if part]

    def _interpolated(self, name: str) -> str:
        assert self.ini
        known = {**self.in_ini, "here": self.ini.parent.as_posix()}
        # Not by a whole parser, which would also refuse a % in options that are not needed here, such as the URL.
        interpolation, parser = configparser.BasicInterpolation(), configparser.RawConfigParser()
        try:
            return interpolation.before_get(parser, self.section, name, self.in_ini[name], known)
        except configparser.Error:
            reason = "a % that does not refer to an option; write %% for a plain %"
            raise ConfigError(f"{self.ini}:{self.line(name)}: {name}: {reason}") from None

    def _filled(self, name: str, value: object) -> str:
        with suppress(KeyError, ValueError, TypeError):
            if isinstance(value, str):
                return value % {"here": self.folder.as_posix()}
        raise ConfigError(f"{self.pyproject}:{self.line(name)}: {name} is not a string that Alembic can read")


def _settings(folder: Path, ini: Path, section: str) -> Settings | None:
    """The options of the Alembic project in this folder, if it has any.

    :raises ConfigError: a file that may have them does not parse.
    """
    pyproject = folder / PYPROJECT
    in_ini = _ini(ini).get(section) if ini.is_file() else None
    in_pyproject = _pyproject(pyproject) if pyproject.is_file() else None
    if in_ini is None and in_pyproject is None:
        return None
    files = (None if in_ini is None else ini, None if in_pyproject is None else pyproject)
    return Settings(folder, *files, in_ini or {}, in_pyproject or {}, section)


def _missing(folder: Path, ini: Path, section: str) -> NoProject:
    """Says what would make this folder a project, and which sections of the file may be the service's."""
    where = os.path.relpath(ini, folder)
    said = f"{folder}: no Alembic project: neither {where} with [{section}] nor {PYPROJECT} with [tool.{SECTION}]"
    named = [name for name, options in _ini(ini).items() if "script_location" in options] if ini.is_file() else []
    if named:
        said += (
            f". {where} has {', '.join(f'[{name}]' for name in named)}: name the service's section in the stack file"
            f" (`migrations: {{path: ..., command: [alembic, -n, {named[0]}]}}`)"
        )
    return NoProject(said)


def _ini(file: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(file), str(file))
    except configparser.Error as error:
        # The error's text quotes the line, which may hold a password.
        numbers = re.findall(r"line:? *(\d+)", str(error))
        raise ConfigError(f"{file}:{numbers[0] if numbers else 1}: not an ini file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    return {name: dict(parser[name]) for name in parser.sections()}


def _pyproject(file: Path) -> dict[str, object] | None:
    try:
        found = tomllib.loads(read_text(file)).get("tool", {}).get(SECTION)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError):
        raise ConfigError(f"{file}: not a TOML file") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    return found if isinstance(found, dict) else None


# ---- Its folders.


@dataclass(frozen=True, slots=True)
class Project:
    folder: Path
    ini: Path
    """its alembic.ini, or the pyproject.toml that it has instead"""
    script_location: Path
    env: Path
    """its env.py, which may be missing"""
    versions: tuple[Path, ...]
    """the folders of its revisions"""
    sources: tuple[Path, ...]
    """the folders from which its own modules are imported"""
    recursive: bool
    """whether folders below `versions` count, too"""
    settings: Settings
    flask: bool = False
    """Flask-Migrate runs it, and takes Alembic's options from the application's code"""


def project(path: Path | str, called: Sequence[str] = USUAL) -> Project:
    """The project in this folder, or the one that this alembic.ini or pyproject.toml belongs to.

    :param called: the command with which the service calls Alembic; it may name a file and a section of it.
    :raises NoProject: there is no project.
    :raises ConfigError: the project does not say where its parts are, or a file of it does not parse.
    """
    given, told = Path(path).absolute(), command(called)
    if not given.exists():
        raise NoProject(f"{given}: no such folder")
    folder = given.parent if given.is_file() else given
    ini = given if given.suffix == ".ini" else folder / (told.ini or INI)
    there = _settings(folder, ini, told.section)
    if flasks := _of_flask(folder, there, told.flasks):
        return flasks
    if there is None:
        raise _missing(folder, ini, told.section)
    if not (text := there.text("script_location")):
        raise ConfigError(f"{there.file}: script_location is missing")
    sources = tuple(dict.fromkeys((*there.paths("prepend_sys_path"), folder, folder / "src")))
    location = _folder(there, sources, "script_location", text)
    if not location.is_dir():
        raise ConfigError(f"{there.file}:{there.line('script_location')}: no such folder: {location}")
    return _made(there, location, sources)


def _of_flask(folder: Path, there: Settings | None, told: str | None) -> Project | None:
    """Flask-Migrate's project: an alembic.ini without a script_location, and its env.py beside it."""
    located = there and there.text("script_location")
    if located and told is None:
        return None
    own = folder if there and not located else folder / (told or FLASKS)
    root = own.parent if own == folder else folder
    inside = _settings(root, own / INI, SECTION) if (own / "env.py").is_file() else None
    if inside is None or inside.ini is None or inside.text("script_location"):
        return None
    return _made(inside, own, (root, root / "src"), root)


def _made(there: Settings, location: Path, sources: tuple[Path, ...], flasks: Path | None = None) -> Project:
    named = [_folder(there, sources, "version_locations", str(path)) for path in there.paths("version_locations")]
    versions = tuple(named) or (location / "versions",)
    recursive = there.flag("recursive_version_locations")
    folder, env = flasks or there.folder, location / "env.py"
    return Project(folder, there.file, location, env, versions, sources, recursive, there, flasks is not None)


def _folder(there: Settings, sources: tuple[Path, ...], name: str, text: str) -> Path:
    """A folder of the project, given as a path or as `package:folder`."""
    relative = text.removeprefix(f"{there.folder}/")
    if Path(relative).is_absolute() or ":" not in relative:
        folder = (there.folder / relative).resolve()
    else:
        package, *below = relative.split(":")
        candidates = [source.joinpath(*package.split("."), *below) for source in sources]
        folder = next((place for place in candidates if place.is_dir()), candidates[0]).resolve()
    if not folder.is_relative_to(there.folder.resolve()):
        raise ConfigError(f"{there.file}:{there.line(name)}: {name} is a folder outside of the project: {folder}")
    return folder
