"""Looks at requirements.lock, and at the workflows with actionlint, built from its pinned Go module, and zizmor."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from engarde.util.terminal import step
from launcher.build import FLAGS, go, run
from launcher.engine import ToolchainError, digest
from launcher.paths import PROJECT, cache, kept

# Its package at PyPI would download a binary while it is installed, which not every machine may.
GO_MODULE = Path(__file__).parent / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
VENV = Path(sys.executable).parent

LOCKED = re.compile(r"^(\S.*) \\\n(?: +--hash=.*\n)+((?: +#.*\n)*)", re.MULTILINE)
"""A requirement in the lock, its hashes, and the comments that say what needs it."""


def main() -> int:
    """Returns 1 if one of them found something."""
    failed = [subprocess.run(command, cwd=PROJECT, check=False).returncode for command in (_actionlint(), _zizmor())]
    requirements, lock = ((PROJECT / f"requirements.{kind}").read_text() for kind in ("txt", "lock"))
    if differing := unlocked(requirements, lock):
        print(f"requirements.lock does not match requirements.txt ({', '.join(differing)}): run `make lock`")
    return 1 if any(failed) or differing else 0


def unlocked(requirements: str, lock: str) -> list[str]:
    """The requirements that the lock lacks or has in another version."""
    wanted = {Requirement(line) for line in requirements.splitlines() if line and not line.startswith("#")}
    locked = {Requirement(pin) for pin, why in LOCKED.findall(lock) if re.search(r"-r requirements\.txt$", why, re.M)}
    return sorted({requirement.name for requirement in wanted ^ locked})


def _actionlint() -> list[str | Path]:
    binary = kept(f"actionlint-{digest(GO_MODULE.iterdir())[:8]}", _build) / "actionlint"
    # Named, as it looks for them from a folder with .git upwards, which a download has not.
    workflows = sorted(workflow.relative_to(PROJECT) for workflow in PROJECT.glob(".github/workflows/*"))
    tools = ("-shellcheck", VENV / "shellcheck", "-pyflakes", "")
    return [binary, "-config-file", ".github/actionlint.yaml", *tools, *workflows]


def _build(folder: Path) -> None:
    work = cache() / ".actionlint.go"
    (work / "tmp").mkdir(parents=True, exist_ok=True)
    with step("building actionlint") as progress:
        for line in run(GO_MODULE, work, go(work), "build", *FLAGS, "-o", str(folder), PACKAGE):
            progress.note = line.strip()
    shutil.rmtree(work, ignore_errors=True)


def _zizmor() -> list[str | Path]:
    # Offline, so that it says the same everywhere, and needs no token.
    return [VENV / "zizmor", "--offline", "--quiet", "--strict-collection", "--persona=pedantic", ".github"]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ToolchainError, OSError) as fault:
        sys.exit(f"error: {fault}")
