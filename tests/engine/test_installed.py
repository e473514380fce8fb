"""The installed package, outside of every clone: `engarde` serves the project that it is run in."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from engarde.declaration.loader import PROJECT_FILE
from launcher.paths import PROJECT
from tests.engine.admins import only_superuser
from tests.engine.program import LIMIT, STACK_FILE, Project

pytestmark = pytest.mark.xdist_group("shared")

SOURCES = ("pyproject.toml", "README.md", "requirements.txt", "engarde")
OUTSIDE = f"no {PROJECT_FILE} in {{}} or in a folder above it; run this in the folder of the stack files"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment of a package that was built here, with the tests' own packages for what it requires."""
    folder = tmp_path_factory.mktemp("installed")
    source, venv = folder / "source", folder / "venv"
    source.mkdir()
    for name in SOURCES:
        (shutil.copytree if (PROJECT / name).is_dir() else shutil.copy)(PROJECT / name, source / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    [packages] = venv.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", venv / "bin/python")
    subprocess.run([*pip, "install", "--no-deps", "--no-build-isolation", source], check=True)
    return venv


@pytest.fixture
def folder(shared: Project, tmp_path: Path) -> Path:
    """A project that is nothing but a stack file and the name."""
    for name in (PROJECT_FILE, STACK_FILE):
        shutil.copy(shared.folder / name, tmp_path)
    return tmp_path


def run(
    installed: Path, project: Project, folder: Path, *words: str, path: str = ""
) -> "subprocess.CompletedProcess[str]":
    """The entry point in a folder, by default with the project's Pulumi on PATH."""
    paths = {"PATH": path or os.pathsep.join([str(Path(project.engine.binary).parent), os.environ["PATH"]])}
    return subprocess.run(
        [installed / "bin/engarde", *words],
        cwd=folder,
        env=project._environment() | paths,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


@only_superuser
def test_it_serves_the_project_that_it_is_run_in(installed: Path, shared: Project, folder: Path) -> None:
    below = folder / "deep" / "below"
    below.mkdir(parents=True)
    for place in (folder, below):
        done = run(installed, shared, place, "url", "madansara")
        assert (done.returncode, done.stdout.strip()) == (0, shared.outputs()["database_urls"]["madansara"]), (
            done.stderr
        )
    done = run(installed, shared, below, "verify", "--output", "json")
    assert (done.returncode, done.stdout) == (0, shared.tool("verify", "--output", "json").stdout), done.stderr


@only_superuser
def test_outside_of_a_project_it_says_so(installed: Path, shared: Project, tmp_path: Path) -> None:
    done = run(installed, shared, tmp_path, "verify")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"engarde: {OUTSIDE.format(tmp_path)}\n")
    assert run(installed, shared, tmp_path, "--help").returncode == 0
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a service'\nversion = '9.9.9'\n")
    assert run(installed, shared, tmp_path, "--version").stdout == f"engarde {version()}\n"
    assert run(installed, shared, tmp_path, "verify", "--help").returncode == 0


@only_superuser
def test_in_a_folder_that_was_deleted_it_says_so(installed: Path, shared: Project, tmp_path: Path) -> None:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        gone = tmp_path / "gone"
        gone.mkdir()
        script = f"cd {gone}; rmdir {gone}; exec {installed}/bin/engarde {' '.join(words)}"
        return subprocess.run(
            ["bash", "-ec", script], env=shared._environment(), capture_output=True, text=True, check=False
        )

    done = run("verify")
    deleted = "engarde: the current folder was deleted; run this in the folder of the stack files\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", deleted)
    assert run("--version").stdout == f"engarde {version()}\n"


@only_superuser
def test_without_pulumi_it_says_where_to_get_it(installed: Path, shared: Project, folder: Path) -> None:
    done = run(installed, shared, folder, "url", "madansara", path=str(folder))
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot start Pulumi" in done.stderr and "https://www.pulumi.com/docs/install/" in done.stderr


def version() -> str:
    """The version that pyproject.toml states."""
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])


def test_all_that_is_no_module_comes_along(installed: Path) -> None:
    [package] = installed.glob("lib/python*/site-packages/engarde")

    def files(folder: Path) -> set[Path]:
        return {file.relative_to(folder) for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}

    assert files(package) == files(PROJECT / "engarde")
