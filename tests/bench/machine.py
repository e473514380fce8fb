"""What the figures were measured on."""

import os
import platform
import subprocess

from engarde.server.libpq import binaries
from launcher.engine import Engine


def facts(engine: Engine) -> list[str]:
    """Lines to stand above the table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    plugins = "official plugins" if engine.official else "provider stubs in place of the official plugins"
    return [
        f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}",
        f"{_postgresql()} with durable settings on 127.0.0.1; Pulumi engine {engine.version}, {plugins}",
    ]


def _postgresql() -> str:
    command = [str(binaries() / "postgres"), "--version"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
