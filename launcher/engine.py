"""The Pulumi that this project uses, as it was found or made."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from engarde.errors import EngardeError
from launcher.paths import GO_MODULE, PRIVATE, PROJECT, STAND_INS_HOME, pulumi_home

NO_CODE = {"PULUMI_OPTION_GENERATE_CODE": "false"}
"""Keeps `import` from writing code, which needs the official language host and the schemas of official plugins."""

TO_STAND_INS = {
    "PULUMI_HOME": str(STAND_INS_HOME),
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    **NO_CODE,
}
"""The variables that make a run use provider stubs."""


class ToolchainError(EngardeError):
    """Pulumi, a plugin or a local server could not be had; says what, where, and what to do."""

    exit_code = 1


class EngineMissing(ToolchainError):
    """No Pulumi has been found or made yet, or it has changed since."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Pulumi with its provider plugins, ready to run."""

    binary: str
    version: str
    official: bool
    """Whether the official plugins are used; otherwise provider stubs are."""

    environment: dict[str, str]
    """The variables of a run beside the caller's own, also those for provider stubs; holds no secret."""


def found() -> Engine:
    """The Pulumi that `launcher.install.engine` chose, read from its record in milliseconds.

    :raises EngineMissing: where there is none, or where what it depends on has changed.
    """
    try:
        record = json.loads(_record().read_text())
    except FileNotFoundError:
        raise EngineMissing("there is no Pulumi for this project yet: run `make up`") from None
    engine = Engine(**record["engine"])
    if record["seen"] != _seen() or not Path(engine.binary).exists():
        raise EngineMissing("Pulumi or its plugins have changed: run `make up`")
    return engine


def remember(engine: Engine) -> None:
    """Writes the record, whole or not at all."""
    PRIVATE.mkdir(exist_ok=True)
    draft = _record().with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"seen": _seen(), "engine": asdict(engine)}, indent=2))
    draft.replace(_record())


def on_path() -> str | None:
    """The user's own `pulumi`: the first on PATH that is not a clone's `bin/pulumi`."""
    for folder in filter(None, os.get_exec_path()):
        command = shutil.which("pulumi", path=folder)
        if command and not (Path(command).resolve().parent.parent / GO_MODULE.relative_to(PROJECT)).exists():
            return command
    return None


def _record() -> Path:
    """One record for each Pulumi and plugin folder of the user, so that they do not overwrite each other."""
    key = hashlib.sha256(f"{on_path()}\0{pulumi_home()}".encode()).hexdigest()
    return PRIVATE / f"engine-{key[:8]}.json"


def _seen() -> dict[str, str | int]:
    """Everything that the choice depends on and that may change later."""
    users_own = on_path()
    return {
        "project": str(PROJECT),
        "makers": digest([Path(__file__), Path(__file__).with_name("install.py")]),
        "on path": Path(users_own).stat().st_mtime_ns if users_own else 0,
        "go module": digest(GO_MODULE.iterdir()),
        "stand-ins": digest(STAND_INS_HOME.glob("plugins/*/pulumi-resource-*")),
    }


def digest(files: Iterable[Path]) -> str:
    """A hash over the names and contents of files."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()
