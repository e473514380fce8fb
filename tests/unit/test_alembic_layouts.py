"""Projects of another layout: sections by name, Flask-Migrate's, several databases, labelled branches."""

from pathlib import Path

import alembic
import pytest

from engarde.alembic.project import Command, command, project
from engarde.alembic.scripts import graph
from engarde.errors import ConfigError
from tests.unit.alembic_projects import INI, LOGGING, REVISION, SYNC, Made, changed, line, made
from tests.unit.test_alembic_scripts import History
from tests.unit.test_alembic_scripts import made as made_of

MULTIDB = Path(alembic.__file__).parent / "templates/multidb"
FLASK = """\
from alembic import context
from flask import current_app

config = context.config
target_db = current_app.extensions['migrate'].db


def run_migrations_online():
    conf_args = current_app.extensions['migrate'].configure_args
    with target_db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_db.metadata, **conf_args)
        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""
"""The part of Flask-Migrate's own env.py in which it tells Alembic what the application has told it."""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["alembic"], Command(("alembic",))),
        (["alembic", "-n", "a"], Command(("alembic",), section="a")),
        (
            ["uv", "run", "-n", "alembic", "-na", "-x", "y"],
            Command(("uv", "run", "-n", "alembic", "-x", "y"), section="a"),
        ),
        ([".venv/bin/alembic", "--name=a", "--config", "x.ini"], Command((".venv/bin/alembic",), "x.ini", "a")),
        (["python", "-m", "alembic", "-c=x.ini", "--name", "a"], Command(("python", "-m", "alembic"), "x.ini", "a")),
        (["alembic", "-c", "x.ini", "-c", "pyproject.toml"], Command(("alembic",), "x.ini")),
        (["alembic", "-c", "pyproject.toml"], Command(("alembic",))),
        (["./migrate.sh", "-n", "a"], Command(("./migrate.sh", "-n", "a"), alembics=False)),
        (["flask", "db"], Command(("flask", "db"), alembics=False, flasks="migrations")),
        (
            ["flask", "--app", "app", "db", "-d", "their"],
            Command(("flask", "--app", "app", "db", "-d", "their"), alembics=False, flasks="their"),
        ),
        (["flask", "run"], Command(("flask", "run"), alembics=False)),
    ],
)
def test_a_command_taken_apart(words: list[str], found: Command) -> None:
    assert command(words) == found


def called(folder: Path, *words: str) -> Made:
    return made(folder, {"migrations": {"path": str(folder), "command": list(words)}})


@pytest.mark.parametrize("env", [SYNC, changed(SYNC, "version_table_schema=SCHEMA,", "", 1)])
def test_a_section_by_name(tmp_path: Path, env: str) -> None:
    usual = made(tmp_path).kinds(env)
    named = called(tmp_path, "alembic", "-n", "madansara")
    named.write("alembic.ini", INI.replace("[alembic]", "[other]\nscript_location = gone\n\n[madansara]") + LOGGING)
    assert named.kinds(env) == usual


def test_where_a_section_by_name_is_wrong(tmp_path: Path) -> None:
    project = called(tmp_path, "alembic", "--name", "madansara")
    url = "sqlalchemy.url = postgresql://a@b/c\n"
    project.write("alembic.ini", f"[other]\n{url}\n{INI.replace('[alembic]', '[madansara]')}{url}{LOGGING}")
    [finding] = project.found(SYNC)
    assert (finding.check, finding.subject) == ("url", "alembic.ini:8")


def test_a_file_by_name(tmp_path: Path) -> None:
    service = called(tmp_path, "alembic", "-c", "conf/service.ini")
    service.write("conf/service.ini", INI.replace("%(here)s/", "") + LOGGING)
    (tmp_path / "alembic.ini").unlink()
    assert service.kinds(SYNC) == []


def test_sections_of_which_none_is_named(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.write("alembic.ini", INI.replace("[alembic]", "[madansara]") + INI.replace("[alembic]", "[sankore]"))
    with pytest.raises(ConfigError) as found:
        project.found(SYNC)
    assert "neither alembic.ini with [alembic] nor pyproject.toml" in str(found.value)
    assert "alembic.ini has [madansara], [sankore]: name the service's section in the stack file" in str(found.value)
    assert "command: [alembic, -n, madansara]" in str(found.value)


@pytest.mark.parametrize("words", [("flask", "--app", "app", "db"), ("alembic",)], ids=["its command", "no command"])
@pytest.mark.parametrize("path", [".", "migrations", "migrations/alembic.ini"])
def test_flask_migrate(tmp_path: Path, path: str, words: tuple[str, ...]) -> None:
    service = called(tmp_path, *words)
    (tmp_path / "alembic.ini").unlink()
    service.write("migrations/alembic.ini", f"[alembic]\n{LOGGING}")
    service.write("migrations/versions/z.py", "revision, down_revision = 'z1', None\n")
    service.write("migrations/env.py", FLASK)
    there = project(tmp_path / path, words)
    assert (there.folder, there.script_location, there.flask) == (tmp_path, tmp_path / "migrations", True)
    assert graph(there).heads == ("a1", "z1")
    found = {each.check: each for each in service.found(FLASK)}
    assert list(found) == ["not judged", "heads"]
    assert "Flask-Migrate takes Alembic's options from the application's code" in found["not judged"].actual
    assert 'Migrate(app, db, version_table_schema="madansara", ' in found["not judged"].remedy.text


def test_flask_migrate_in_a_folder_of_another_name(tmp_path: Path) -> None:
    service = called(tmp_path, "flask", "db", "--directory", "their")
    (tmp_path / "migrations").rename(tmp_path / "their")
    (tmp_path / "alembic.ini").rename(tmp_path / "their/alembic.ini")
    service.write("their/alembic.ini", "[alembic]\n")
    service.write("their/env.py", FLASK)
    assert [each.check for each in service.found(FLASK)] == ["not judged"]


def test_several_databases(tmp_path: Path) -> None:
    """Alembic's own project of that kind."""
    service = made(tmp_path)
    env = (MULTIDB / "env.py").read_text()
    service.write(
        "alembic.ini", INI + "databases = one, two\n\n[one]\nsqlalchemy.url =\n\n[two]\nsqlalchemy.url =\n" + LOGGING
    )
    service.write("migrations/versions/a1.py", REVISION.replace("def upgrade()", "def upgrade(engine_name: str)"))
    found = [each for each in service.found(env) if each.expected == "a project for one database"]
    assert [(each.check, each.subject) for each in found] == [
        ("not judged", f"migrations/env.py:{line(env, 'context.configure(', 1)}")
    ]
    assert "arguments" not in {each.check for each in service.found(env)}


@pytest.mark.parametrize(
    ("function", "wants"),
    [
        ("upgrade(engine_name)", True),
        ("upgrade(*, engine_name)", True),
        ("upgrade(engine_name, /)", True),
        ("upgrade(engine_name='')", False),
        ("upgrade(*names, **more)", False),
    ],
)
def test_version_files_that_want_something(tmp_path: Path, function: str, wants: bool) -> None:
    service = made(tmp_path)
    revision = REVISION.replace("upgrade()", function)
    service.write("migrations/versions/a1.py", revision)
    place = f"migrations/versions/a1.py:{line(revision, 'def upgrade')}"
    assert service.kinds(SYNC) == ([f"arguments {place}"] if wants else [])
    given = changed(SYNC, "context.run_migrations()", "context.run_migrations(engine_name='madansara')", 1)
    assert "arguments" not in {each.check for each in service.found(given)}


A: History = {"a1": {"down_revision": None, "branch_labels": ("a",)}, "a2": {"down_revision": "a1"}}
B: History = {"b1": {"down_revision": None, "branch_labels": ("b",), "depends_on": "a1"}}


@pytest.mark.parametrize(
    ("history", "target"),
    [
        (A, "head"),
        ({**A, **B}, "heads"),
        ({**A, **B, "c1": {"down_revision": None}}, "head"),
        ({**A, "a3": {"down_revision": "a1", "branch_labels": ("other",)}}, "head"),
        ({**A, "m": {"down_revision": "a2"}}, "head"),
        ({}, "head"),
    ],
)
def test_labelled_branches_that_stand_by_themselves(tmp_path: Path, history: History, target: str) -> None:
    assert graph(made_of(tmp_path, history)).target == target


def test_they_are_no_heads_to_merge(tmp_path: Path) -> None:
    service = made(tmp_path)
    service.write("migrations/versions/z.py", "revision, down_revision, branch_labels = 'z1', None, 'z'\n")
    assert service.kinds(SYNC) == ["heads migrations/versions/z.py:1"]
    labelled = REVISION.replace("down_revision = None", "down_revision = None\nbranch_labels = ('a',)")
    service.write("migrations/versions/a1.py", labelled)
    assert service.kinds(SYNC) == []
