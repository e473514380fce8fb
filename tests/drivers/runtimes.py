"""What runs the drivers' programs: found on this machine, their packages installed once per user."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from launcher.paths import kept
from tests.warm.processes import python

HERE = Path(__file__).parent

NOWHERE = "/nonexistent"
"""The programs' home: certificates in the caller's would make drivers verify where the mode does not ask for it."""

LIMIT = 240
"""Of one installing command (seconds)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What it takes to run the programs in the folder of that name."""

    name: str
    needs: tuple[str, ...]
    """commands on PATH"""

    preparation: tuple[tuple[str, ...], ...]
    """what is run once in a copy of the folder"""

    started: Callable[[Path, str], list[str]]
    """what runs a program, by the prepared copy and the program's name"""

    @property
    def absent(self) -> str | None:
        """Why this machine has it not; None when it has."""
        missing = [need for need in self.needs if not shutil.which(need)]
        return f"no {' and no '.join(missing)} on PATH" if missing else None

    def command(self, program: str) -> list[str]:
        """What runs a program of the folder, prepared first where no run of this user has done it before."""
        return self.started(self.prepared(), program)

    def prepared(self) -> Path:
        """The folder's copy with its packages."""
        assert not self.absent, self.absent
        source = HERE / self.name
        if not self.preparation:
            return source
        digest = hashlib.sha256(repr(self.preparation).encode())
        for each in sorted(source.iterdir()):
            digest.update(each.name.encode() + b"\0" + each.read_bytes())
        return kept(f"drivers-{self.name}-{digest.hexdigest()[:8]}", lambda folder: self._prepare(source, folder))

    def _prepare(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        for words in self.preparation:
            done = subprocess.run(
                words, cwd=folder, text=True, timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            assert done.returncode == 0, f"{' '.join(words)} failed:\n{done.stdout}"


PYTHON = Runtime(
    "python",
    needs=(),
    preparation=(),
    started=lambda _, program: [python(), "-m", f"tests.drivers.python.{program}"],
)
SQLALCHEMY_2_1 = Runtime(
    "sqlalchemy21",
    needs=(),
    preparation=(
        (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", ".", "-r", "requirements.txt"),
    ),
    # An interpreter of its own: the one that forks has the other version loaded.
    started=lambda folder, program: [
        *("env", f"PYTHONPATH={folder}"),
        *(sys.executable, "-m", f"tests.drivers.python.{program}"),
    ],
)
"""Python with what its folder's requirements name in the place of the same packages of `requirements-dev.txt`."""

NODE = Runtime(
    "node",
    needs=("node", "npm"),
    # Prisma is told of an engine that nothing calls, or it would download its own to generate its client.
    preparation=(("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("npm", "run", "generate")),
    started=lambda folder, program: ["node", str(folder / f"{program}.mjs")],
)
GO = Runtime(
    "go",
    needs=("go",),
    preparation=(("go", "build", "-mod=readonly", "-trimpath", "-o", "drivers", "."),),
    started=lambda folder, _: [str(folder / "drivers")],
)
JAVA = Runtime(
    "java",
    needs=("java", "javac", "mvn"),
    preparation=(
        ("mvn", "-B", "-q", "dependency:copy-dependencies", "-DexcludeTransitive", "-DoutputDirectory=."),
        ("javac", "--release", "11", "-cp", "*", "Connect.java"),
    ),
    # It looks for certificates where the environment does not lead it.
    started=lambda folder, program: [
        *("java", "-XX:TieredStopAtLevel=1", f"-Duser.home={NOWHERE}"),
        *("-cp", f"{folder}{os.pathsep}{folder}/*", program),
    ],
)
