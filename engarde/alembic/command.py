"""What the stack file's `migrations.command` says of the project, before the word of what Alembic is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.settings import SECTION
from engarde.declaration.model import Service

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


def of(service: Service) -> Command:
    """The command of a service."""
    return command(service.migrations.command if service.migrations else USUAL)


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
