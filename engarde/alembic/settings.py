"""What an Alembic project's alembic.ini and pyproject.toml say, as Alembic itself reads the two."""

import configparser
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engarde.errors import ConfigError
from engarde.util.files import read_text

INI = "alembic.ini"
PYPROJECT = "pyproject.toml"
SECTION = "alembic"
URL = "sqlalchemy.url"

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_OLD_SEPARATOR = re.compile(r", *|(?: +)")
_OLD_PATH_SEPARATOR = re.compile(r", *|(?: +)|\:")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one project; those of alembic.ini go before those of pyproject.toml."""

    folder: Path
    """where Alembic runs"""
    ini: Path | None
    pyproject: Path | None
    in_ini: Mapping[str, str] = field(repr=False)
    """as they are written, which may hold a password"""
    in_pyproject: Mapping[str, object] = field(repr=False)
    section: str = SECTION
    """that of alembic.ini"""

    @property
    def file(self) -> Path:
        """Where the project's options are."""
        file = self.ini or self.pyproject
        assert file
        return file

    def text(self, name: str) -> str | None:
        """An option that is one text, with `%(here)s` and its like put in.

        :raises ConfigError: it names something that is nowhere, or is no text.
        """
        if name in self.in_ini:
            return self._interpolated(name)
        value = self.in_pyproject.get(name)
        return None if value is None else self._filled(name, value)

    def flag(self, name: str) -> bool:
        """An option that is true or false."""
        if name in self.in_ini:
            return self._interpolated(name) == "true"
        return self.in_pyproject.get(name) is True

    def paths(self, name: str) -> tuple[Path, ...]:
        """An option that is a list of folders; Alembic takes them from where it runs, which is the project's folder."""
        if text := self.in_ini.get(name) and self._interpolated(name):
            return tuple(self.folder / part for part in self._parts(name, text))
        value = self.in_pyproject.get(name)
        if not isinstance(value, list):
            return ()
        return tuple(self.folder / self._filled(name, item) for item in value)

    def line(self, name: str) -> int:
        """Where in its file an option stands, from 1."""
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
            raise ConfigError(f"{self.ini}: path_separator is none of {', '.join(_SEPARATORS)}")
        return [part.strip() for part in text.split(_SEPARATORS[separator]) if part]

    def _interpolated(self, name: str) -> str:
        assert self.ini
        known = {**self.in_ini, "here": self.ini.parent.as_posix()}
        # By itself: a whole parser would also refuse the % of options that nobody asks for here, such as the URL's.
        interpolation = configparser.BasicInterpolation()
        try:
            return interpolation.before_get(
                configparser.RawConfigParser(), self.section, name, self.in_ini[name], known
            )
        except configparser.Error:
            reason = "a % that names nothing; write %% for one"
            raise ConfigError(f"{self.ini}:{self.line(name)}: {name}: {reason}") from None

    def _filled(self, name: str, value: object) -> str:
        try:
            if isinstance(value, str):
                return value % {"here": self.folder.as_posix()}
        except (KeyError, ValueError, TypeError):
            pass
        raise ConfigError(f"{self.pyproject}:{self.line(name)}: {name} is not a text that Alembic reads")


def found(folder: Path, ini: Path, section: str) -> Settings | None:
    """The options of the Alembic project in this folder, if it has any.

    :raises ConfigError: a file that may have them does not parse.
    """
    pyproject = folder / PYPROJECT
    in_ini = _ini(ini).get(section) if ini.is_file() else None
    in_pyproject = _pyproject(pyproject) if pyproject.is_file() else None
    if in_ini is None and in_pyproject is None:
        return None
    return Settings(
        folder,
        ini if in_ini is not None else None,
        pyproject if in_pyproject is not None else None,
        in_ini or {},
        in_pyproject or {},
        section,
    )


def missing(folder: Path, ini: Path, section: str) -> ConfigError:
    """Says what would make this folder a project, and which sections of the file might be meant."""
    where = os.path.relpath(ini, folder)
    said = f"{folder}: no Alembic project: neither {where} with [{section}] nor {PYPROJECT} with [tool.{SECTION}]"
    named = [name for name, options in _ini(ini).items() if "script_location" in options] if ini.is_file() else []
    if named:
        said += (
            f"; {where} has {', '.join(f'[{name}]' for name in named)}: say in the stack file which is the service's"
            f" (`migrations: {{path: ..., command: [alembic, -n, {named[0]}]}}`)"
        )
    return ConfigError(said)


def _ini(file: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(file), str(file))
    except configparser.Error as error:
        # Its text quotes the line, which may hold a password.
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
