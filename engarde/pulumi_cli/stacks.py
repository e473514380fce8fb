"""Which stack a command is about, and what its file says, with what Pulumi adds to it."""

import json
import os
from pathlib import Path
from typing import Any

from engarde.declaration import loader, stack_file
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Stack
from engarde.declaration.stack_names import LOCAL, PROJECT, checked, file_name
from engarde.errors import ConfigError, Unreachable
from engarde.pulumi_cli.process import engine
from engarde.util.files import read_text
from engarde.util.workspaces import LEGACY, file_backend, selections


def chosen(given: str | None) -> str:
    """The stack that Pulumi would take: the one that is given, that of PULUMI_STACK, or the selected one; else `local`.

    :raises ConfigError: it is no stack name.
    """
    return checked(given if given is not None else os.environ.get("PULUMI_STACK") or _selected() or LOCAL)


def _selected() -> str | None:
    """The one that `bin/pulumi` would take, of stack `local`'s own backend or else of the operator's."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    project = FOLDER.resolve()
    kept = {**selections(project / ".engarde/pulumi-home", PROJECT, project), **selections(home, PROJECT, project)}
    return kept.get(file_backend(project / ".engarde/state")) or kept.get(_backend(home)) or kept.get(LEGACY) or None


def _backend(home: Path) -> str:
    """The address of the operator's backend, as Pulumi finds it."""
    if given := os.environ.get("PULUMI_BACKEND_URL"):
        return given
    try:
        project = stack_file.yaml("Pulumi.yaml", read_text(FOLDER / "Pulumi.yaml"))
        stated = project.get("backend") if isinstance(project, dict) else None
        if isinstance(stated, dict) and stated.get("url"):
            return str(stated["url"])
        return str(json.loads(read_text(home / "credentials.json")).get("current") or "")
    except (OSError, ValueError, ConfigError):
        return ""


def read(folder: Path, stack: str) -> Stack:
    """The stack whose file is in the folder; Pulumi is asked only for what the file takes from ESC environments.

    :raises ConfigError: the file is missing, is no YAML, or holds faults; all of them in one message.
    :raises Unreachable: it names environments, and Pulumi cannot open them.
    """
    return loader.of_config(stack, config(folder, stack))


def config(folder: Path, stack: str) -> dict[str, Any]:
    """The values of the stack's file, and of the ESC environments that it names; a secret is an encrypted one.

    :raises ConfigError: the file cannot be read, is no YAML, or has no configuration.
    :raises Unreachable: it names environments, and Pulumi cannot open them.
    """
    file = folder / file_name(stack)
    document = stack_file.document(file)
    if not document.get("environment"):
        return stack_file.config(file.name, document)
    # Without --show-secrets: secrets stay with Pulumi.
    done = engine("config", "--json", "--open", "--stack", stack, "--config-file", str(file))
    if done.returncode:
        raise Unreachable(
            f"Pulumi could not open the environments of {file.name} (`environment:`). Nothing was changed:\n"
            f"{done.stderr.strip()}"
        )
    return {key: _value(entry) for key, entry in json.loads(done.stdout).items()}


def _value(entry: dict[str, Any]) -> object:
    if entry.get("secret"):
        return {"secure": ""}
    return entry.get("objectValue", entry.get("value"))
