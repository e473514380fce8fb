"""What `bin/engarde alembic init` writes, with real Alembic on a real PostgreSQL: no table is lost, and it migrates."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engarde.alembic import init, template
from engarde.alembic.check import check
from engarde.declaration.loader import parse
from engarde.declaration.model import Service, Stack
from engarde.errors import Refused
from tests.conftest import Templates
from tests.engine import database as databases
from tests.engine.admins import SUPERUSER
from tests.engine.alembic_truth import Truth, among_others, said
from tests.engine.database import Database
from tests.parts import sampled
from tests.unit.alembic_found import FORMS, RIGHT
from tests.unit.alembic_projects import INI, SYNC, changed, made

pytestmark = pytest.mark.xdist_group("alembic")

STOCK = """\
from alembic import context
from sqlalchemy import engine_from_config, pool

from app.models import Base

config = context.config
target_metadata = Base.metadata


def run_migrations_online():
    connectable = engine_from_config(config.get_section(config.config_ini_section), prefix="sqlalchemy.")
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""
ORDERS = """\
from sqlalchemy import Column, Integer, Table

from app.models import Base


Table("orders", Base.metadata, Column("id", Integer, primary_key=True))
"""
FILLED = {
    "by a loop over all modules": (
        "import importlib\nimport pkgutil\n\nimport app\n\n"
        'for m in pkgutil.iter_modules(app.__path__, "app."):\n    importlib.import_module(m.name)\n'
    ),
    "by a call": "import app\n\napp.load_all()\n",
    "by a call that gives something back": "import app\n\nloaded = app.load_all()\n",
    "by a table": (
        "from sqlalchemy import Column, Integer, Table\n\n"
        'Table("orders", Base.metadata, Column("id", Integer, primary_key=True))\n'
    ),
    "by a class": (
        "from sqlalchemy import Column, Integer\n\n\n"
        'class Order(Base):\n    __tablename__ = "orders"\n    id = Column(Integer, primary_key=True)\n\n'
    ),
}
"""What makes `orders` a table of the metadata."""

NAME = """\
def include_name(name, type_, parent_names):
    return not (type_ == "table" and name in ("celery_taskmeta", "spatial_ref_sys"))


"""
OBJECT = """\
LEFT = {"celery_taskmeta", "spatial_ref_sys"}


def include_object(object_, name, type_, reflected, compare_to):
    return not (type_ == "table" and name in LEFT)


"""
FILTERED = {
    "by name": (NAME, "include_name=include_name"),
    "by object": (OBJECT, "include_object=include_object"),
    "by schema and name": (
        NAME.replace("    return", '    if type_ == "schema":\n        return name == "madansara"\n    return'),
        "include_schemas=True, include_name=include_name",
    ),
    "in a map of options": (f"{OBJECT}told = dict(include_object=include_object)\n", "**told"),
}
"""What keeps tables from autogenerate that no model has."""


@pytest.fixture(scope="module")
def database(templates: Templates) -> Iterator[Database]:
    with databases.copied(templates(SUPERUSER)) as database:
        among_others(database, "madansara")
        yield database


def declared(project: Path) -> tuple[Stack, Service]:
    sections = {
        "server": {"host": "h", "database": "d"},
        "services": {
            "madansara": {"migrations": {"path": str(project), "command": [sys.executable, "-m", "alembic"]}},
            "sankore": {},
        },
        "existingSchemas": {"public": {"creators": ["postgres"]}},
    }
    stack = parse("local", sections, {"adminPassword"})
    return stack, stack.services[0]


def rewritten(project: Path) -> None:
    """All that `init --yes` does."""
    _, service = declared(project)
    planned = init.changes(project, service, None)
    init.try_out(planned, project, service)
    init.write(planned)


def proposed(database: Database, project: Path) -> list[str]:
    """The operations that autogenerate writes down, with what they are about."""
    service = Truth(database, "madansara")
    done = service.alembic(project, "postgresql", "revision", "--autogenerate", "--rev-id", "b2")
    assert done.returncode == 0, done.stderr
    [written] = (project / "migrations/versions").glob("b2_*.py")
    return re.findall(r"op\.(\w+\('\w+')", written.read_text().partition("def downgrade")[0])


def migrated(database: Database, project: Path, *statements: str) -> None:
    """The project's tables, and others."""
    service = Truth(database, "madansara")
    service.afresh()
    done = service.alembic(project, "postgresql", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    database.run(*statements, "ALTER TABLE madansara.things ADD COLUMN extra int")


TABLES = [f"CREATE TABLE madansara.{name} (id int PRIMARY KEY)" for name in ("orders", "celery_taskmeta")]


def project_of(folder: Path, env: str) -> Path:
    project = made(folder)
    project.write("app/more.py", ORDERS)
    project.write("app/__init__.py", "def load_all():\n    import app.more\n")
    project.write("migrations/env.py", env)
    project.write("migrations/script.py.mako", template.text("script.py.mako"))
    return folder


@pytest.mark.parametrize("name", sampled(FILLED, "by a loop over all modules"))
def test_what_fills_the_metadata(tmp_path: Path, database: Database, name: str) -> None:
    project = project_of(tmp_path, changed(STOCK, "config = ", f"{FILLED[name]}config = "))
    rewritten(project)
    migrated(database, project, *TABLES[:1])
    # The column that no model has shows that it has compared.
    assert proposed(database, project) == ["drop_column('things'"]


@pytest.mark.parametrize("name", sampled(FILTERED, "by schema and name", "in a map of options"))
def test_what_filters_it(tmp_path: Path, database: Database, name: str) -> None:
    filters, options = FILTERED[name]
    env = changed(STOCK, "def run_", f"{filters}def run_")
    project = project_of(
        tmp_path, changed(env, "target_metadata=target_metadata", f"target_metadata=target_metadata, {options}")
    )
    rewritten(project)
    migrated(database, project, *TABLES[1:])
    assert proposed(database, project) == ["drop_column('things'"]
    assert check(*declared(project), project) == ()


def test_a_configuration_without_logging(tmp_path: Path, database: Database) -> None:
    project = project_of(tmp_path, STOCK)
    (project / "alembic.ini").write_text(INI)
    rewritten(project)
    migrated(database, project)
    assert check(*declared(project), project) == ()


def test_one_with_logging_of_its_own(tmp_path: Path, database: Database) -> None:
    """It migrates, and says so as its configuration has it."""
    env = SYNC.replace("include_name=include_name,", "compare_type=False, transaction_per_migration=True,")
    project = project_of(tmp_path, env)
    ini = project / "alembic.ini"
    ini.write_text(ini.read_text().replace("level = WARNING", "level = INFO"))
    rewritten(project)
    Truth(database, "madansara").afresh()
    done = Truth(database, "madansara").alembic(project, "postgresql", "upgrade", "head")
    assert (done.returncode, "INFO Running upgrade  -> a1" in done.stderr) == (0, True)


REFUSED = {
    "replaced": "uses the name SCHEMA",
    "versions for several databases": "upgrade(engine_name)",
}
"""What of the forms in which projects are found is not carried over."""
BEFORE = {"metadata schema", "heads"}
"""Findings about other files than env.py."""


@pytest.mark.parametrize("name", sampled({**FORMS, **RIGHT}, "handed", "option"))
def test_whatever_there_was_works(tmp_path: Path, database: Database, name: str) -> None:
    """In the forms in which they are found, `init` leaves nothing that is wrong in env.py."""
    form = {**FORMS, **RIGHT}[name]
    form.put(tmp_path)
    if name in REFUSED:
        with pytest.raises(Refused, match=re.escape(REFUSED[name])):
            rewritten(tmp_path)
        return
    rewritten(tmp_path)
    found = check(*declared(tmp_path), tmp_path)
    assert {each.check for each in found} == {*form.checks} & BEFORE
    assert Truth(database, "madansara").does(tmp_path, "postgresql") == said(found)
