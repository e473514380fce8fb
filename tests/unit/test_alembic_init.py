"""`alembic init`: what it writes, what it keeps, and what it shows before."""

import json
import os
from pathlib import Path
from typing import Any, get_args

import alembic
import pytest
from click.testing import CliRunner, Result

from engarde import cli
from engarde.alembic import init, template
from engarde.alembic.check import check
from engarde.declaration.loader import parse
from engarde.declaration.model import Service, Stack
from engarde.errors import ConfigError, Refused, Unfinished

TEMPLATES = Path(alembic.__file__).parent / "templates"
INI = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
SERVER = {"host": "db.example.com", "database": "railway"}
OWN = """\
import sys
from logging.config import fileConfig

from alembic import context
from dotenv import load_dotenv
from sqlalchemy import MetaData, engine_from_config

from app import models  # fills it
# The one place.
from app.db import Base

load_dotenv()
sys.path.append("lib")
config = context.config
fileConfig(config.config_file_name)
config.set_main_option("sqlalchemy.url", "postgresql://me:hunter2@x@db/app")
NOBODY = dict(password="hunter2")
naming = {"pk": "pk_%(table_name)s"}
target_metadata = MetaData(naming_convention=naming)
target_metadata.schema = "x"


def run():
    with engine_from_config(config.get_section("alembic")).connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        context.run_migrations()


run()
"""
KEPT = """\
import sys
from dotenv import load_dotenv
from sqlalchemy import MetaData, engine_from_config
from app import models  # fills it
# The one place.
from app.db import Base
load_dotenv()
sys.path.append("lib")
naming = {"pk": "pk_%(table_name)s"}
target_metadata = MetaData(naming_convention=naming)
target_metadata.schema = "x"
# More options for context.configure, by name.
options = {}"""


def declared(name: str = "madansara", **service: Any) -> tuple[Stack, Service]:
    stack = parse("local", {"server": SERVER, "services": {name: service or None}}, {"adminPassword"})
    return stack, stack.services[0]


def written(folder: Path, old: str | None = None, **service: Any) -> str:
    """The env.py of a project that had this one."""
    if old is not None:
        (folder / "migrations").mkdir()
        (folder / "alembic.ini").write_text(INI)
        (folder / "migrations/env.py").write_text(old)
    init.write(init.changes(folder, declared(**service)[1], None))
    return (folder / "migrations/env.py").read_text()


def kept(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in (folder / "migrations").glob("env.py.orig*")}


def test_a_project_where_there_is_none(tmp_path: Path) -> None:
    stack, service = declared()
    files = [str(change.file.relative_to(tmp_path)) for change in init.changes(tmp_path / "new", service, None)]
    assert files == ["new/alembic.ini", "new/migrations/script.py.mako", "new/migrations/env.py"]
    assert not (tmp_path / "new").exists()
    written(tmp_path / "new")
    assert check(stack, service, tmp_path / "new") == ()
    assert init.changes(tmp_path / "new", service, None) == ()
    assert kept(tmp_path / "new") == {}


@pytest.mark.parametrize("name", ["generic", "async"])
def test_alembics_own_templates_become_right_ones(tmp_path: Path, name: str) -> None:
    old = (TEMPLATES / name / "env.py").read_text()
    new = written(tmp_path, old)
    assert kept(tmp_path) == {"env.py.orig": old}
    assert ("create_async_engine" in new) == (name == "async")
    stack, service = declared()
    assert check(stack, service, tmp_path) == ()


@pytest.mark.parametrize("named", [".", "pyproject.toml"])
def test_a_project_of_pyproject(tmp_path: Path, named: str) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    stack, service = declared()
    [change] = init.changes(tmp_path / named, service, None)
    assert (change.file, change.before) == (tmp_path / "migrations/env.py", None)
    init.write([change])
    assert check(stack, service, tmp_path) == ()


def test_what_is_about_the_models_is_carried_over(tmp_path: Path) -> None:
    new = written(tmp_path, OWN)
    assert template.yours(new) == KEPT
    assert "hunter2" not in new
    compile(new, "env.py", "exec")


def test_one_without_metadata(tmp_path: Path) -> None:
    new = written(tmp_path, "from alembic import context\n")
    assert template.yours(new) == template.text("yours.py").strip("\n")


def test_what_is_theirs_stays_when_it_is_written_again(tmp_path: Path) -> None:
    new = written(tmp_path)
    own = "from app import Base\n\ntarget_metadata = Base.metadata\noptions = {'compare_type': False}"
    file = tmp_path / "migrations/env.py"
    file.write_text(new.replace(str(template.yours(new)), own))
    again = written(tmp_path, role="another")
    assert template.yours(again) == own
    assert 'ROLE = "another"' in again
    # Nothing but that was anybody's own.
    assert kept(tmp_path) == {}


def test_a_change_of_the_rest_is_kept_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "migrations/env.py"
    first = written(tmp_path).replace('LOCK_TIMEOUT = "10s"', 'LOCK_TIMEOUT = "1h"')
    file.write_text(first)
    [change] = init.changes(tmp_path, declared()[1], "asyncpg")
    assert [each.partition(": ")[2] for each in change.left] == ["LOCK_TIMEOUT = '1h'"]
    second = written(tmp_path).replace("NullPool", "StaticPool")
    file.write_text(second)
    [change] = init.changes(tmp_path, declared()[1], None)
    assert [each.partition(": ")[2] for each in change.left] == ["def run_online() -> None:"]
    written(tmp_path)
    assert kept(tmp_path) == {"env.py.orig": first, "env.py.orig2": second}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name == "alembic_version"', 'name in ("alembic_version", "celery_taskmeta")', "def shown("),
        (
            "        version_table_schema=SCHEMA,\n        **{",
            "        compare_type=False,\n        **{",
            "def migrate(",
        ),
        ("SCHEMA = ", "import app.models\n\nSCHEMA = ", "import app.models"),
        ("SCHEMA = ", "for each in (1, 2):\n    load(each)\n\nSCHEMA = ", "for each in (1, 2):"),
        ("SCHEMA = ", "def more():\n    pass\n\n\nSCHEMA = ", "def more():"),
    ],
)
def test_a_change_of_the_rest_that_fills_or_filters_is_not_lost(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = written(tmp_path)
    assert old in text
    (tmp_path / "migrations/env.py").write_text(text.replace(old, new, 1))
    with pytest.raises(Refused) as found:
        init.changes(tmp_path, declared()[1], "asyncpg")
    assert said in str(found.value)
    assert "move the change between the lines '# --- yours ---' and" in str(found.value)


EARLIER = {
    "    # Otherwise the migrations would": "    # Without it the migrations would",
    "keeps the lines between the two marks below": "keeps what is between the two lines below",
    "Shows autogenerate only this schema, and in it only what": "Shows autogenerate this schema alone, and of it what",
    "The URL in the environment, for this driver.": "Where the environment says, in the words of this driver.",
    "is not the URL of a database: set it to the URL of {ROLE}": "holds no URL of a database",
    "Nothing was changed. To end it": "nothing was changed. To end it",
    "Waiting for process %s of": "It waits for process %s of",
    "'run this script as the role of the service, not as %', current_user": "'this script is for that role alone'",
}
"""This release's words in the file -> an earlier one's."""


@pytest.mark.parametrize("driver", get_args(template.Driver))
def test_a_file_of_an_earlier_release_is_known_by_what_it_does(tmp_path: Path, driver: template.Driver) -> None:
    stack, service = declared()
    init.write(init.changes(tmp_path, service, driver))
    file = tmp_path / "migrations/env.py"
    text = file.read_text()
    for now, earlier in EARLIER.items():
        assert now in text
        text = text.replace(now, earlier)
    file.write_text(text)
    assert check(stack, service, tmp_path) == ()
    [change] = init.changes(tmp_path, service, None)
    assert change.left == ()
    file.write_text(text.replace("is None or also(", "is None or not also("))
    with pytest.raises(Refused, match="def shown"):
        init.changes(tmp_path, service, None)


@pytest.mark.parametrize(
    ("form", "old", "driver"),
    [
        ("plain", None, "psycopg"),
        ("sqlalchemy+psycopg2", None, "psycopg2"),
        ("sqlalchemy+asyncpg", None, "asyncpg"),
        ("sqlalchemy+asyncpg", "generic", "psycopg"),
        ("plain", "async", "asyncpg"),
        ("sqlalchemy+psycopg2", "generic", "psycopg2"),
    ],
)
def test_the_driver(tmp_path: Path, form: str, old: str | None, driver: str) -> None:
    text = (TEMPLATES / old / "env.py").read_text() if old else None
    assert f'DRIVER = "postgresql+{driver}"' in written(tmp_path, text, urlFormat=form)


@pytest.mark.parametrize(
    ("pinned", "old", "driver"),
    [
        ("2.0.58", None, "psycopg2"),
        ("2.1.9", None, "psycopg"),
        ("2.0.58", "generic", "psycopg2"),
        ("2.0.58", "async", "asyncpg"),
        ("2.1.9", "async", "psycopg"),
    ],
)
def test_the_driver_of_a_url_that_names_none_is_a_matter_of_the_version(
    tmp_path: Path, pinned: str, old: str | None, driver: str
) -> None:
    (tmp_path / "requirements.txt").write_text(f"sqlalchemy=={pinned}\n")
    text = (TEMPLATES / old / "env.py").read_text() if old else None
    assert f'DRIVER = "postgresql+{driver}"' in written(tmp_path, text)


@pytest.mark.parametrize("driver", get_args(template.Driver))
def test_the_driver_that_the_old_one_names_stays(tmp_path: Path, driver: template.Driver) -> None:
    (tmp_path / "requirements.txt").write_text("sqlalchemy==2.0.58\n")
    init.write(init.changes(tmp_path, declared()[1], driver))
    assert init.changes(tmp_path, declared()[1], None) == ()


def test_the_variable(tmp_path: Path) -> None:
    assert 'VARIABLE = "DATABASE_URL"' in written(tmp_path)
    assert 'VARIABLE = "MIGRATE_URL"' in written(tmp_path, migrations={"path": ".", "variable": "MIGRATE_URL"})


def test_the_variable_that_leads_past_a_pooler(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": {}, "DIRECT_URL": {"unpooled": True}}
    sections = {
        "server": SERVER,
        "serviceAddress": {"host": "pooler.internal"},
        "unpooledAddress": {"host": "db.internal"},
        "railway": {"project": "p", "environment": "e"},
        "services": {"madansara": {"railway": {"variables": variables}}},
    }
    stack = parse("local", sections, {"adminPassword"})
    init.write(init.changes(tmp_path, stack.services[0], None))
    assert 'VARIABLE = "DIRECT_URL"' in (tmp_path / "migrations/env.py").read_text()
    assert check(stack, stack.services[0], tmp_path) == ()


@pytest.mark.parametrize("name", ["Größe", "a:b c", "it's", "x%y", "a$b", "a{b}"])
@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_odd_names(tmp_path: Path, name: str, driver: template.Driver) -> None:
    stack, service = declared("x", schema=name, role=f'{name}"r\\')
    init.write(init.changes(tmp_path, service, driver))
    assert check(stack, service, tmp_path) == ()
    names: dict[str, Any] = {}
    constants = (tmp_path / "migrations/env.py").read_text().partition("SCHEMA = ")[2].splitlines()[:2]
    exec("SCHEMA = " + "\n".join(constants), names)
    assert (names["SCHEMA"], names["ROLE"]) == (service.schema_, service.role)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("migrations/env.py", "def (", "env.py:1: not Python"),
        ("migrations/env.py", "\udce4", "cannot be read"),
        ("alembic.ini", "[alembic", "not an ini file"),
        ("alembic.ini", "[other]\n", "alembic.ini has no section [alembic]"),
        ("alembic.ini", "[alembic]\nscript_location = nowhere\n", "no such folder"),
    ],
)
def test_what_cannot_be_read_stays_as_it_is(tmp_path: Path, file: str, text: str, said: str) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "alembic.ini").write_text(INI)
    (tmp_path / file).write_bytes(text.encode(errors="surrogateescape"))
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    with pytest.raises(ConfigError, match=said.replace("[", "\\[")):
        init.changes(tmp_path, declared()[1], None)
    assert before == {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}


def test_somebody_changes_it_meanwhile(tmp_path: Path) -> None:
    written(tmp_path, OWN)
    file = tmp_path / "migrations/env.py"
    file.write_text(OWN)
    planned = init.changes(tmp_path, declared()[1], None)
    file.write_text("# mine\n")
    with pytest.raises(Refused, match=r"has changed since it was read\. Nothing was written"):
        init.write(planned)
    assert file.read_text() == "# mine\n"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, OWN)
    file = tmp_path / "migrations/env.py"
    file.write_text(OWN)
    (tmp_path / "migrations/env.py.orig").unlink()
    planned = init.changes(tmp_path, declared()[1], None)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(Refused, match="cannot be written: No space left on device"):
        init.write(planned)
    assert {each.name: each.read_text() for each in file.parent.iterdir()} == {"env.py": OWN}


@pytest.mark.parametrize("file", ["migrations", "migrations/script.py.mako", "migrations/env.py"])
def test_a_new_project_is_made_whole_or_not_at_all(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "one"
    planned = init.changes(folder, declared()[1], None)
    # It comes while the project is written: a file where a folder belongs, and one where nothing was.
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text("mine")
    before = sorted(folder.rglob("*"))
    with pytest.raises(Refused, match=r"has changed since|cannot be written"):
        init.write(planned)
    assert (sorted(folder.rglob("*")), (folder / file).read_text()) == (before, "mine")


def test_no_folder_stays_of_a_project_that_could_not_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = init.changes(tmp_path / "one", declared()[1], None)
    replace = os.replace

    def full(old: str, new: str, **folders: int) -> None:
        if new == "env.py":
            raise OSError(28, "No space left on device")
        replace(old, new, **folders)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(Refused, match=r"env\.py cannot be written: No space left on device"):
        init.write(planned)
    assert list(tmp_path.iterdir()) == []


def test_no_project_is_made_where_the_path_is_mistyped(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nope/service: its parent folder does not exist"):
        init.changes(tmp_path / "nope/service", declared()[1], None)


def test_what_cannot_be_taken_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = init.changes(tmp_path, declared()[1], None)

    replace, unlink = os.replace, os.unlink

    def full(old: str, new: str, **folders: int) -> None:
        if new == "env.py":
            raise OSError(28, "No space left on device")
        replace(old, new, **folders)

    def fault(name: str, **folder: int) -> None:
        if name == "alembic.ini":
            raise OSError(5, "Input/output error")
        unlink(name, **folder)

    monkeypatch.setattr("os.replace", full)
    monkeypatch.setattr("os.unlink", fault)
    said = r"No space left on device. Files .* could not be restored \(Input/output error\): \S*/alembic.ini$"
    with pytest.raises(Unfinished, match=said):
        init.write(planned)
    assert [each.name for each in tmp_path.iterdir()] == ["alembic.ini"]


@pytest.mark.parametrize("inside", [True, False])
def test_nothing_is_written_through_a_link(tmp_path: Path, inside: bool) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    written(folder, OWN)
    real = (folder if inside else tmp_path) / "real.py"
    real.write_text(OWN)
    (folder / "migrations/env.py").unlink()
    (folder / "migrations/env.py").symlink_to(real)
    with pytest.raises(ConfigError, match=r"migrations/env\.py is a symbolic link"):
        init.changes(folder, declared()[1], None)
    assert real.read_text() == OWN


@pytest.mark.parametrize("place", ["migrations", "migrations/script.py.mako", "alembic.ini", "migrations/env.py"])
def test_a_new_project_is_not_made_through_a_link(tmp_path: Path, place: str) -> None:
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (folder / place).parent.mkdir(parents=True)
    elsewhere.mkdir()
    # It leads to a folder, or to a file that is not there yet.
    (folder / place).symlink_to(elsewhere if place == "migrations" else elsewhere / "new")
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConfigError, match=rf"{place} (is|exists)"):
        init.write(init.changes(folder, declared()[1], None))
    assert (sorted(folder.rglob("*")), list(elsewhere.iterdir())) == (before, [])


def test_a_folder_that_is_a_link_inside_of_the_project_is_where_it_leads(tmp_path: Path) -> None:
    written(tmp_path, OWN)
    (tmp_path / "migrations").rename(tmp_path / "real")
    (tmp_path / "migrations").symlink_to("real")
    (tmp_path / "real/env.py").write_text(OWN)
    (tmp_path / "real/env.py").chmod(0o640)
    init.write(init.changes(tmp_path, declared()[1], None))
    assert template.is_untouched((tmp_path / "real/env.py").read_text())
    modes = [each.stat().st_mode & 0o777 for each in sorted((tmp_path / "real").glob("env.py*"))]
    assert modes == [0o640, 0o644, 0o640]


@pytest.mark.parametrize("place", ["migrations", "migrations/env.py", "migrations/env.py.orig"])
def test_a_link_that_is_put_there_meanwhile(tmp_path: Path, place: str) -> None:
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    written(folder, OWN)
    for each in (folder / "migrations").glob("*.orig"):
        each.unlink()
    (folder / "migrations/env.py").write_text(OWN)
    planned = init.changes(folder, declared()[1], None)
    (elsewhere / "env.py").write_text(OWN)
    if (folder / place).exists():
        (folder / place).rename(tmp_path / "away")
    (folder / place).symlink_to(elsewhere if place == "migrations" else elsewhere / "env.py")
    with pytest.raises(Refused, match="cannot be written"):
        init.write(planned)
    assert [(each.name, each.read_text()) for each in elsewhere.iterdir()] == [("env.py", OWN)]


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> Result:
    password = {"engarde:adminPassword": {"secure": "v1:of-a-test"}}
    config = {"engarde:server": SERVER, "engarde:services": {"madansara": None}, **password}
    (folder / "Pulumi.local.yaml").write_text(json.dumps({"config": config}))
    monkeypatch.setattr("engarde.cli.alembic.FOLDER", folder)
    return CliRunner().invoke(cli.main, ["alembic", "init", *words])


def test_the_difference_comes_first_and_holds_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, OWN)
    file = tmp_path / "migrations/env.py"
    file.write_text(OWN)
    for old in file.parent.glob("*.orig*"):
        old.unlink()
    # The modules that it imports are not there.
    words = (str(tmp_path), "--service", "madansara", "--untried")
    shown = run(monkeypatch, tmp_path, *words)
    assert shown.exit_code == 1
    assert '-config.set_main_option("sqlalchemy.url", "postgresql://me:***@db/app")' in shown.output
    assert "+    context.configure(" in shown.output
    assert "nothing was written; add --yes to write this" in shown.stderr
    assert "hunter2" not in shown.output
    assert file.read_text() == OWN
    done = run(monkeypatch, tmp_path, *words, "--yes")
    assert done.exit_code == 0
    assert "env.py; the old file is now env.py.orig" in done.stderr
    assert kept(tmp_path) == {"env.py.orig": OWN}
    again = run(monkeypatch, tmp_path, str(tmp_path), "--service", "madansara")
    assert (again.exit_code, again.stdout) == (0, "")


def test_a_service_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, tmp_path, str(tmp_path), "--service", "other", "--yes")
    assert done.exit_code == 2
    assert "stack local has no service other; it has madansara" in done.stderr
    assert not (tmp_path / "alembic.ini").exists()
