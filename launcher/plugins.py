"""The engine's plugins: the vendor's, or our stand-ins where those cannot be downloaded."""

import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from engarde.util.progress import last_line, say, step
from launcher.download import reachable
from launcher.engine import digest
from launcher.errors import ToolchainError
from launcher.paths import PRIVATE, STAND_INS, STAND_INS_HOME, pulumi_home

PINNED = {name: metadata.version(f"pulumi-{name}") for name in ("postgresql", "random")}
"""A plugin's version is its Python package's."""

PATIENCE = 300
"""How long one download may take (seconds)."""


def official(binary: Path, environment: dict[str, str]) -> bool:
    """Whether the vendor's plugins are there, downloaded just now if need be."""
    for name, version in PINNED.items():
        if folder_of(pulumi_home(), name).exists():
            continue
        if not reachable():
            return False
        with step(f"downloading the plugin {name} {version}"):
            users = environment | {"PULUMI_HOME": str(pulumi_home())}
            failure = _install(binary, users, name, patience=PATIENCE)
        if failure:
            say(f"  failed: {failure}")
            return False
    return True


def stand_ins(binary: Path, environment: dict[str, str]) -> None:
    """Puts our stand-ins, as the working tree has them, into the plugin folder that the environment leads to.

    :raises ToolchainError: where the engine does not take one.
    """
    # The engine would make it too, closed to the user that a server of root's runs as.
    PRIVATE.mkdir(exist_ok=True)
    for name, version in PINNED.items():
        launcher = STAND_INS / name / f"pulumi-resource-{name}"
        installed = folder_of(STAND_INS_HOME, name) / launcher.name
        if installed.exists() and digest([installed]) == digest([launcher]):
            continue
        with step(f"installing the stand-in for the plugin {name} {version}"), TemporaryDirectory() as alone:
            shutil.copy2(launcher, alone)
            failure = _install(binary, environment, name, "--file", alone, "--reinstall")
        if failure:
            raise ToolchainError(f"the engine did not take the stand-in for {name}: {failure}")


def folder_of(home: Path, name: str) -> Path:
    return home / f"plugins/resource-{name}-v{PINNED[name]}"


def _install(binary: Path, environment: dict[str, str], name: str, *options: str, patience: float | None = None) -> str:
    """Has the engine install a plugin; says why it failed, nothing where it did not."""
    try:
        done = subprocess.run(
            [binary, "plugin", "install", "resource", name, PINNED[name], *options],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {patience} s"
    return last_line(done.stderr) if done.returncode else ""
