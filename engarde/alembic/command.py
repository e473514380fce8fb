"""What the stack file's `migrations.command` tells Alembic before the word of what it is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.settings import SECTION
from engarde.model import Service

USUAL = ("alembic",)


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


def of(service: Service) -> Command:
    """The command of a service."""
    return command(service.migrations.command if service.migrations else USUAL)


def command(words: Sequence[str]) -> Command:
    """A command taken apart; what stands before Alembic's own name belongs to another program."""
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


def _value(word: str, left: list[str], short: str, long: str) -> str | None:
    """What an option is given, in any of the four ways; None where the word is another one."""
    if word in (short, long):
        return left.pop(0) if left else ""
    if word.startswith(f"{long}="):
        return word.removeprefix(f"{long}=")
    return word.removeprefix(short).removeprefix("=") if word.startswith(short) and word[1] != "-" else None
