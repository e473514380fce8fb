"""What a service's own repository runs of this one: the hook for pre-commit, and the action for its workflows."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from launcher.paths import PROJECT
from tests.unit.alembic_projects import SYNC, Made, changed, line, made
from tests.unit.test_alembic_check_run import COMPUTED

ACTION: dict[str, Any] = YAML(typ="safe").load(PROJECT / ".github/actions/alembic-check/action.yml")
[HOOK] = YAML(typ="safe").load(PROJECT / ".pre-commit-hooks.yaml")
INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")
WRONG = changed(SYNC, "version_table_schema=SCHEMA,", "", 1)
FOUND = f"version table: migrations/env.py:{line(WRONG, 'context.configure(', 1)}"
ENDS = ((SYNC, 0, "no findings in the Alembic project of madansara"), (WRONG, 1, FOUND))
FORMS = {"right": SYNC, "wrong": WRONG, "computed": COMPUTED}


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    """One."""
    return made(tmp_path / "a service")


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner's folder for what a job needs, in which the tool is installed as this project's own."""
    script = tmp_path / "runner/engarde/bin/engarde"
    script.parent.mkdir(parents=True)
    script.symlink_to(PROJECT / "bin/engarde")
    return tmp_path / "runner"


def step(
    number: int, repository: Made, runner: Path, given: Mapping[str, str], project: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Runs a step of the action in the service's repository, as a runner does that has this project in a folder."""
    inputs = {name: about.get("default", "") for name, about in ACTION["inputs"].items()} | {**given}
    said = ACTION["runs"]["steps"][number]
    environment = {
        name: INPUT.sub(lambda found: inputs[found[1]], value) for name, value in said.get("env", {}).items()
    }
    assert said["shell"] == "bash"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", said["run"]],
        cwd=repository.folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(runner),
            "GITHUB_ACTION_PATH": str(project / ".github/actions/alembic-check"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("form", "given", "code", "said"),
    [
        ("right", {"service": "madansara"}, 0, "no findings in the Alembic project of madansara"),
        ("right", {"service": "library", "schema": "madansara", "role": "librarian"}, 0, "no findings"),
        ("wrong", {"service": "madansara"}, 1, FOUND),
        ("computed", {"service": "madansara", "run": "true"}, 0, "no findings"),
        ("right", {"service": "madansara", "path": "no where"}, 2, "no where: no such folder"),
        ("right", {"service": "madansara", "run": "yes"}, 2, "must be true or false"),
        ("right", {"service": "--help"}, 1, 'version_table_schema="--help"'),
    ],
)
def test_the_action(repository: Made, runner: Path, form: str, given: Mapping[str, str], code: int, said: str) -> None:
    repository.write("migrations/env.py", FORMS[form])
    done = step(1, repository, runner, given)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_the_role_is_that_of_the_action(repository: Made, runner: Path) -> None:
    repository.write("migrations/env.py", COMPUTED.replace("config = context.config", "raise RuntimeError(os.environ)"))
    done = step(1, repository, runner, {"service": "madansara", "role": "librarian", "run": "true"})
    assert "'DATABASE_URL': 'postgresql://librarian:***@no-database.invalid" in done.stdout


def test_scripts_of_the_action_are_sound() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    for said in ACTION["runs"]["steps"]:
        # As a runner starts bash.
        script = f"set -eo pipefail\n{said['run']}"
        subprocess.run([shellcheck, "--shell=bash", "-"], input=script, text=True, check=True)


def test_the_hook(repository: Made) -> None:
    [config] = documented("repos:")
    [told] = [hook for source in config["repos"] for hook in source["hooks"]]
    assert told["id"] == HOOK["id"]
    words = [PROJECT / "bin/engarde", *HOOK["entry"].split()[1:], *told["args"]]
    for env, code, said in ENDS:
        repository.write("migrations/env.py", env)
        done = subprocess.run(words, cwd=repository.folder, capture_output=True, text=True, check=False)
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr


def test_the_workflow_that_is_documented_gives_the_action_what_it_takes() -> None:
    [workflow] = documented("jobs:")
    [used] = [
        said for job in workflow["jobs"].values() for said in job["steps"] if "alembic-check" in said.get("uses", "")
    ]
    assert used["uses"].partition("@")[0].endswith("/.github/actions/alembic-check")
    required = {name for name, about in ACTION["inputs"].items() if about.get("required")}
    assert required <= used["with"].keys() <= ACTION["inputs"].keys()


def documented(word: str) -> Iterator[Any]:
    """The examples of the page in which a word stands."""
    page = (PROJECT / "docs/alembic.md").read_text()
    for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        if word in text:
            yield YAML(typ="safe").load(text)


# ---- Really installed, from the registry.


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this project, as an installation leaves things in its folder."""
    left_out = shutil.ignore_patterns(".venv", ".git", ".engarde", "__pycache__", ".*_cache")
    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=left_out))


@pytest.mark.exhaustive
def test_the_action_installs_what_it_runs(repository: Made, project: Path, tmp_path: Path) -> None:
    done = step(0, repository, tmp_path, {}, project)
    assert done.returncode == 0, done.stdout + done.stderr
    for env, code, said in ENDS:
        repository.write("migrations/env.py", env)
        done = step(1, repository, tmp_path, {"service": "madansara"})
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr


@pytest.mark.exhaustive
def test_pre_commit_runs_the_hook(repository: Made, project: Path, tmp_path: Path) -> None:
    [config] = documented("repos:")
    config["repos"][0] |= {"repo": str(project), "rev": committed(project)}
    repository.write(".pre-commit-config.yaml", json.dumps(config))
    words = [str(Path(sys.executable).with_name("pre-commit")), "run", "--all-files"]
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    for env, code, said in ((SYNC, 0, "Passed"), (WRONG, 1, FOUND)):
        repository.write("migrations/env.py", env)
        committed(repository.folder)
        done = subprocess.run(
            words, cwd=repository.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr


def committed(folder: Path) -> str:
    """The commit that holds all that is in the folder."""
    for words in ("init --quiet", "add --all", "commit --quiet --message all"):
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *identity, *words.split()], cwd=folder, check=True)
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True).strip()
