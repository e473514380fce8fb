"""Where the parts of an Alembic project are, and how its service calls Alembic."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.settings import INI, SECTION, Settings, found, missing
from engarde.declaration.model import Service
from engarde.errors import ConfigError

USUAL = ("alembic",)

FLASKS = "migrations"
"""The folder that Flask-Migrate looks in, unless it is told another one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, taken apart."""

    words: tuple[str, ...]
    """all of it but the two options below"""
    ini: str | None = None
    """the file that `-c` names, seen from the project's folder"""
    section: str = SECTION
    """that of this file, which `-n` names"""
    alembics: bool = True
    """it is Alembic's own, by its name"""
    flasks: str | None = None
    """where Flask-Migrate has its alembic.ini and env.py, if it is `flask db`"""


def words_of(service: Service) -> Sequence[str]:
    """The command by which a service calls Alembic."""
    return service.migrations.command if service.migrations else USUAL


def command(words: Sequence[str]) -> Command:
    """A command taken apart; what stands before Alembic's own name belongs to another program."""
    if (flasks := _flasks(words)) is not None:
        return Command(tuple(words), alembics=False, flasks=flasks)
    names = [place for place, word in enumerate(words) if Path(word).name == "alembic"]
    start = names[-1] + 1 if names else len(words)
    kept, ini, section = [*words[:start]], None, SECTION
    left = list(words[start:])
    while left:
        word = left.pop(0)
        if (value := _value(word, left, "-c", "--config")) is not None:
            ini = value if value.endswith(".ini") or ini is None else ini
        elif (value := _value(word, left, "-n", "--name")) is not None:
            section = value
        else:
            kept.append(word)
    return Command(tuple(kept), ini if ini and not ini.endswith(".toml") else None, section, bool(names))


def _flasks(words: Sequence[str]) -> str | None:
    """The folder of `flask ... db -d FOLDER`."""
    names = [place for place, word in enumerate(words) if Path(word).name == "flask"]
    if not names or "db" not in words[names[-1] :]:
        return None
    folder, left = FLASKS, [*words[words.index("db", names[-1]) + 1 :]]
    while left:
        if (value := _value(left.pop(0), left, "-d", "--directory")) is not None:
            folder = value
    return folder


def _value(word: str, left: list[str], short: str, long: str) -> str | None:
    """What an option is given, in any of the four ways; None where the word is another one."""
    if word in (short, long):
        return left.pop(0) if left else ""
    if word.startswith(f"{long}="):
        return word.removeprefix(f"{long}=")
    return word.removeprefix(short).removeprefix("=") if word.startswith(short) and word[1] != "-" else None


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
    if flasks := _of_flask(folder, there, command(called).flasks):
        return flasks
    if there is None:
        raise missing(folder, ini, section)
    if not (text := there.text("script_location")):
        raise ConfigError(f"{there.file}: no script_location")
    sources = tuple(dict.fromkeys((*there.paths("prepend_sys_path"), folder, folder / "src")))
    location = _folder(there, sources, "script_location", text)
    if not location.is_dir():
        raise ConfigError(f"{there.file}:{there.line('script_location')}: no such folder: {location}")
    return _made(there, location, sources)


def is_project(path: Path, called: Sequence[str]) -> bool:
    """Whether there are options of an Alembic project.

    :raises ConfigError: a file that may have them does not parse.
    """
    folder, ini, section = _named(path.absolute(), called)
    there = found(folder, ini, section)
    return there is not None or _of_flask(folder, there, command(called).flasks) is not None


def _named(given: Path, called: Sequence[str]) -> tuple[Path, Path, str]:
    """The folder in which Alembic runs, its alembic.ini, and the section of that."""
    told = command(called)
    folder = given.parent if given.is_file() else given
    return folder, given if given.suffix == ".ini" else folder / (told.ini or INI), told.section


def _of_flask(folder: Path, there: Settings | None, told: str | None) -> Project | None:
    """Flask-Migrate's project: an alembic.ini without a script_location, and its env.py beside it."""
    if there is not None and told is None and there.text("script_location"):
        return None
    own = folder if there is not None and not there.text("script_location") else folder / (told or FLASKS)
    if not (own / "env.py").is_file():
        return None
    root = own.parent if own == folder else folder
    inside = found(root, own / INI, SECTION)
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
    """A folder that is named by its path, or as `package:folder`, in the project itself."""
    relative = text.removeprefix(f"{there.folder}/")
    if Path(relative).is_absolute() or ":" not in relative:
        folder = (there.folder / relative).resolve()
    else:
        package, *below = relative.split(":")
        candidates = [source.joinpath(*package.split("."), *below) for source in sources]
        folder = next((place for place in candidates if place.is_dir()), candidates[0]).resolve()
    if not folder.is_relative_to(there.folder.resolve()):
        raise ConfigError(f"{there.file}:{there.line(name)}: {name} leads out of the project: {folder}")
    return folder
