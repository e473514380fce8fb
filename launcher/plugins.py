"""The vendor's plugins, downloaded where that is possible; whoever has others puts them into `STAND_INS_HOME`."""

import os
import subprocess
from importlib import metadata
from pathlib import Path

from engarde.util.terminal import last_line, step, tell
from launcher.paths import pulumi_home
from launcher.sources import reachable

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
            failure = _install(binary, environment | {"PULUMI_HOME": str(pulumi_home())}, name)
        if failure:
            tell(f"  failed: {failure}")
            return False
    return True


def folder_of(home: Path, name: str) -> Path:
    return home / f"plugins/resource-{name}-v{PINNED[name]}"


def _install(binary: Path, environment: dict[str, str], name: str) -> str:
    """Has the engine download a plugin; says why it failed, nothing where it did not."""
    try:
        done = subprocess.run(
            [binary, "plugin", "install", "resource", name, PINNED[name]],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {PATIENCE} s"
    return last_line(done.stderr) if done.returncode else ""
