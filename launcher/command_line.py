"""What a command line of the engine is about: which command, which stack, which folder."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

LOCAL = {"local", "organization/engarde/local"}
"""The names of our stack: a file backend's only organization is `organization`."""

OPERATIONS = {"destroy", "dn", "down", "import", "pre", "preview", "refresh", "up", "update", "watch"}
"""The commands that start plugins."""

NAMING = {"create", "delete", "init", "new", "remove", "rm", "select", "setup"}
"""What is done to a stack whose name then follows without a flag."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The parts of a command line that decide how the engine is started."""

    operation: bool
    stack: str | None
    """The stack that is named, by a flag or as the command's argument."""

    folder: str | None
    """The folder that the engine is told to work in."""


def parse(words: Sequence[str]) -> CommandLine:
    try:
        known, rest = _FLAGS.parse_known_args(words[: words.index("--")] if "--" in words else words)
    except argparse.ArgumentError:
        # The engine knows better what is wrong with it.
        return CommandLine(operation=False, stack=None, folder=None)
    plain = [word for word in rest if not word.startswith("-")]
    return CommandLine(
        operation=plain[:1] != [] and plain[0] in OPERATIONS,
        stack=known.stack or _argument(plain),
        folder=known.cwd,
    )


def _argument(plain: Sequence[str]) -> str | None:
    match plain:
        case ["cancel", name, *_]:
            return name
        case ["stack", verb, name, *_] if verb in NAMING:
            return name
    return None


def _flags() -> argparse.ArgumentParser:
    """The engine's flags that matter here, those that can stand in one word with `-s`, and those with a value."""
    flags = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    flags.add_argument("-s", "--stack")
    flags.add_argument("-C", "--cwd")
    for letter in "defhijqQry":
        flags.add_argument(f"-{letter}", action="store_true")
    for valued in ("-v", "--color", "--copy-config-from", "--secrets-provider", "--teams"):
        flags.add_argument(valued)
    return flags


_FLAGS = _flags()
