"""Whether the stack file's own rules take a line that is about to be printed."""

from __future__ import annotations

from typing import Any

from engarde.declaration.loader import PROJECT, of_config
from engarde.declaration.yaml_file import config, yaml
from engarde.doctor.remedies import STANDING_IN
from engarde.errors import ConfigError
from engarde.output.findings import Remedy
from engarde.pulumi_cli.process import FOLDER

SHUT_OUT = f"{PROJECT}:shutOut"


def accepted(stack: str, remedy: Remedy) -> Remedy:
    """The remedy; if it is a line that the stack file refuses, what it says to it.

    A line with a word that stands for a name is left alone, and so is a stack file with faults of its own.
    """
    if remedy.kind != "edit" or any(word in remedy.text for word in STANDING_IN):
        return remedy
    try:
        file = config(FOLDER / f"Pulumi.{stack}.yaml")
        of_config(stack, file)
    except ConfigError:
        return remedy
    try:
        added = yaml("the line", remedy.text)
        of_config(stack, _merged(file, added if isinstance(added, dict) else {}))
    except ConfigError as refusal:
        faults = str(refusal).partition("\n")[2]
        return Remedy("code", f"do without it, for the stack file takes no line for that:\n{faults}")
    return remedy


def _merged(there: Any, added: Any) -> Any:
    """Maps key by key, and lists one after the other: of one table the entry that is added, of `shutOut` it alone."""
    if isinstance(there, dict) and isinstance(added, dict):
        merged = {key: _merged(there.get(key), value) for key, value in added.items() if key != SHUT_OUT}
        return {**there, **merged, **({SHUT_OUT: added[SHUT_OUT]} if SHUT_OUT in added else {})}
    if isinstance(there, list) and isinstance(added, list):
        tables = [_table(entry) for entry in added]
        return [*(entry for entry in there if _table(entry) not in tables), *added]
    return added


def _table(entry: Any) -> Any:
    return entry.get("table") if isinstance(entry, dict) else entry
