"""The real engine, built from its pinned Go module."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from engarde.util.progress import step
from launcher.errors import ToolchainError
from launcher.golang import go
from launcher.paths import GO_MODULE

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
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
    with step("getting the engine's Go modules") as progress:
        for count, line in enumerate(run(GO_MODULE, work, compiler, "list", *FLAGS, "-deps", PACKAGE)):
            progress.note = f"{count} downloaded"
            packages += not line.startswith("go: ")
    how = ("-v", "-ldflags", f"-s -w {VERSION}{version}", "-o", str(folder / "bin/pulumi"))
    with step(f"compiling the engine {version}, some minutes") as progress:
        for count, _ in enumerate(run(GO_MODULE, work, compiler, "build", *FLAGS, *how, PACKAGE)):
            progress.note = f"{count} packages compiled, {packages} at most"
    shutil.copy2(GO_MODULE / LANGUAGE_HOST, folder / "bin")
    # What a killed run has left behind can still be at work there.
    shutil.rmtree(work, ignore_errors=True)


def run(module: Path, work: Path, compiler: Path, *words: str) -> Iterator[str]:
    """Runs Go on a pinned module and nothing else, line by line as it speaks.

    :raises ToolchainError: with Go's last words.
    """
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        [compiler, *words],
        cwd=module,
        env=_places(work, compiler) | os.environ | ONLY_THE_MODULE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            last.append(line)
            yield line
    if process.returncode:
        raise ToolchainError(f"go {words[0]} failed:\n{''.join(last).rstrip()}")


def _places(work: Path, compiler: Path) -> dict[str, str]:
    """Go's own folders, apart from the user's unless the environment names those."""
    places = {"GOCACHE": f"{work}/cache", "GOMODCACHE": f"{work}/mod", "GOTMPDIR": f"{work}/tmp"}
    # A Go of the user's has his settings in the usual place, for instance where modules come from.
    return places if not compiler.is_relative_to(work) else places | {"XDG_CONFIG_HOME": f"{work}/config"}
