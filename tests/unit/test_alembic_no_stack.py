"""`bin/engarde alembic check --no-stack`: the same as with a stack file, but for what only that tells."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engarde.alembic import template
from engarde.alembic.check import NOT_CHECKED, check, undeclared
from engarde.cli import main
from engarde.declaration.loader import parse
from tests.unit.alembic_found import FORMS, RIGHT
from tests.unit.alembic_projects import ASYNC, BOTH, MODELS, SYNC, Made, changed, made
from tests.unit.test_alembic_check_run import COMPUTED

ALL = {**FORMS, **RIGHT}
BY_DRIVER = ("not awaited", "awaited for nothing", "options for asyncpg")
"""Those in which something is wrong by the driver alone, which the form of the URL may say."""


@pytest.fixture
def project(tmp_path: Path) -> Made:
    return made(tmp_path / "service")


def call(project: Made, env: str, *words: str, service: str = "madansara") -> Result:
    """Calls the command, which changes nothing."""
    project.write("migrations/env.py", env)
    return CliRunner().invoke(main, ["alembic", "check", service, str(project.folder), "--no-stack", *words])


def without(project: Made) -> list[str]:
    """What is found without the stack file, as `check file:line`."""
    found = check(None, undeclared(project.name, None, None), project.folder)
    return [f"{finding.check} {finding.subject}" for finding in found]


@pytest.mark.parametrize("name", ALL)
def test_all_else_is_found_as_with_a_stack_file(tmp_path: Path, name: str) -> None:
    project = ALL[name].put(tmp_path)
    told = project.kinds(ALL[name].env)
    assert without(project) == ([] if name in BY_DRIVER else told)


SCHEMA_OF_PATH = """TO "{SCHEMA}"')"""
OPEN: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "foreign key": (SYNC, changed(MODELS, "things.id", "public.brands.id"), {}, {}),
    "metadata schema": (
        SYNC.replace("include_name=include_name,", "include_object=lambda *_: True,"),
        f'{MODELS}\n\nMetaData(schema="sankore")\n',
        {},
        {},
    ),
    "variable": (SYNC.replace("DATABASE_URL", "MADANSARA_URL"), MODELS, {}, {}),
    "pooler": (SYNC, MODELS, {}, {"serviceAddress": {"host": "pooler"}, "unpooledAddress": {"host": "db"}}),
    "driver": (SYNC, MODELS, {"urlFormat": "sqlalchemy+asyncpg"}, {}),
    "search_path": (changed(SYNC, SCHEMA_OF_PATH, """TO "{SCHEMA}", gis')""", 1), MODELS, {}, {}),
}
"""For each kind an env.py, models, and what of a stack file makes something of them wrong."""


@pytest.mark.parametrize("kind", NOT_CHECKED)
def test_what_only_the_stack_file_tells_is_not_checked(tmp_path: Path, kind: str) -> None:
    env, models, service, sections = OPEN[kind]
    project = made(tmp_path, service, **sections)
    project.write("app/models.py", models)
    found = project.kinds(env)
    told = [finding for finding in found if not finding.startswith(f"{kind} ")]
    assert len(told) < len(found)
    assert without(project) == told


@pytest.mark.parametrize("path", ["sankore, madansara", "public, madansara"])
def test_a_path_that_does_not_begin_with_the_own_schema_is_found(project: Made, path: str) -> None:
    project.write("migrations/env.py", SYNC.replace('TO "{SCHEMA}"', f"TO {path}"))
    assert "search_path" in {kind.partition(" ")[0] for kind in without(project)}


def test_the_driver_of_an_asynchronous_engine_may_be_any(project: Made) -> None:
    env = changed(
        ASYNC,
        """{"server_settings": {"search_path": f'"{SCHEMA}"'}}""",
        "{'options': f'-c search_path=\"{SCHEMA}\"'}",
    )
    assert {finding.check for finding in project.found(env)} == {"search_path"}
    assert without(project) == []


@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_what_is_open_is_said(project: Made, env: str) -> None:
    done = call(project, env)
    assert (done.exit_code, done.stdout) == (0, "no findings in the Alembic project of madansara\n")
    told = [f"  {kind}: {open_question}" for kind, open_question in NOT_CHECKED.items()]
    assert done.stderr.splitlines() == ["not checked without a stack file:", *told]
    done = call(project, env, "--output", "json")
    assert json.loads(done.stdout) == {
        "version": 2,
        "service": "madansara",
        "notChecked": NOT_CHECKED,
        "findings": [],
    }


YOURS = "from app.models import Base\n\ntarget_metadata = Base.metadata\n"


def test_names_of_its_own(project: Made) -> None:
    stack = parse(
        "prod",
        {
            "server": {"host": "h", "database": "d"},
            "services": {"library": {"schema": "madansara", "role": "librarian"}},
        },
        {"adminPassword"},
    )
    env = template.env(stack.services[0], "psycopg", f"{YOURS}options = {{}}")
    words = ("--schema", "madansara", "--role", "librarian")
    done = call(project, env, *words, service="library")
    assert done.exit_code == 0, done.output
    assert call(project, env, service="library").exit_code == 1


def test_what_is_computed_is_told_by_the_command_that_is_printed(
    project: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    done = call(project, COMPUTED, "--output", "json")
    [first, *_] = json.loads(done.stdout)["findings"]
    assert (done.exit_code, first["check"]) == (1, "not judged")
    checked, initial = first["remedy"]["text"].splitlines()
    words = shlex.split(checked, comments=True)
    assert words[:3] == ["engarde", "alembic", "check"]
    assert "# in the folder of the stack file: writes an env.py that can be judged" in initial
    done = CliRunner().invoke(main, words[1:])
    assert (done.exit_code, done.stdout) == (0, "no findings in the Alembic project of madansara\n"), done.output


def test_an_alembic_that_cannot_be_run(project: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project.folder))
    done = call(project, COMPUTED, "--run")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "stack file" not in done.stderr.partition("env.py could not be run")[2]
    assert "Install it in a folder of PATH, with the packages that the project needs" in done.stderr


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--no-stack", "--schema", "public"], "--schema: reserved name: public"),
        (["--no-stack", "--role", "pg_monitor"], "--role: invalid name: reserved"),
        (["--schema", "madansara"], "--schema and --role need --no-stack"),
        (["--role", "madansara"], "--schema and --role need --no-stack"),
        (["--stack", "prod", "--no-stack"], "--stack and --no-stack exclude each other"),
    ],
)
def test_words_that_are_refused(project: Made, words: list[str], wrong: str) -> None:
    project.write("migrations/env.py", SYNC)
    done = CliRunner().invoke(main, ["alembic", "check", "madansara", str(project.folder), *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert wrong in done.stderr


def test_nothing_is_read_of_a_stack(project: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its file nor what is open in it."""
    monkeypatch.setattr("engarde.cli.options.under_way", lambda *_: ["a rotation is open"])
    assert "a rotation is open" not in call(project, SYNC).stderr
    project.write("Pulumi.local.yaml", "{")
    monkeypatch.setattr("engarde.cli.alembic.FOLDER", project.folder)
    assert call(project, SYNC).exit_code == 0
