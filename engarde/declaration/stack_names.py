"""What stacks are called, as Pulumi has it: `prod`, `acme/prod`, or `acme/engarde/prod`."""

import re
from pathlib import Path

from engarde.errors import ConfigError

PROJECT = "engarde"
"""The project's name in Pulumi, with which the keys of a stack file begin."""

LOCAL = "local"
"""The stack of `make up`."""

_OF_FILES = "organization"
"""The only organization of a state in files or a bucket."""
_STACK = re.compile(r"(?:(?P<organization>[\w-]{1,40})/(?:(?P<project>[\w.-]{1,100})/)?)?[\w.-]{1,100}", re.ASCII)


def checked(name: str) -> str:
    """The name, if Pulumi takes it for that of a stack of this project; in short where that says as much.

    :raises ConfigError: it does not.
    """
    found = _STACK.fullmatch(name)
    # Of dots alone, Pulumi would take it, and a folder that is called so is another one.
    if not found or not short_name(name).strip("."):
        raise ConfigError(
            f"{name!r} is no stack name: NAME, ORGANIZATION/NAME or ORGANIZATION/{PROJECT}/NAME, each of letters,"
            " digits, hyphens, underscores and periods"
        )
    if found["project"] not in (None, PROJECT):
        raise ConfigError(f"stack {name} is of project {found['project']}, and this one is {PROJECT}")
    return short_name(name) if found["organization"] == _OF_FILES else name


def short_name(stack: str) -> str:
    """Its name without organization and project, by which its file and whatever is kept of it are called."""
    return stack.rpartition("/")[2]


def file_name(stack: str) -> str:
    return f"Pulumi.{short_name(stack)}.yaml"


def in_folder(folder: Path) -> list[str]:
    """The stacks that have a file there."""
    return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in folder.glob("Pulumi.*.yaml"))
