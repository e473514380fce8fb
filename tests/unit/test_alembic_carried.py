"""What of somebody's own env.py goes into the new one, what is left out by name, and what `init` refuses to lose."""

from pathlib import Path

import pytest

from engarde.alembic import init, template
from engarde.alembic.check import check
from engarde.errors import Refused
from tests.unit.alembic_projects import SYNC, changed, line, made
from tests.unit.test_alembic_init import TEMPLATES, declared

FILLS = {
    "a loop over all modules": (
        "import importlib\nimport pkgutil\n\nimport app\n\n"
        'for module in pkgutil.iter_modules(app.__path__, "app."):\n    importlib.import_module(module.name)'
    ),
    "a call": "from app import models\n\nmodels.load_all()",
    "a call that gives something back": "from app import models\n\nloaded = models.load_all()",
    "a table": 'from sqlalchemy import Column, Integer, Table\n\nTable("x", Base.metadata, Column("id", Integer))',
    "a class": 'class Extra(Base):\n    __tablename__ = "extra"\n    id = Column(Integer, primary_key=True)',
    "an import that may fail": "try:\n    import app.more\nexcept ImportError:\n    pass",
    "an import of a name that nobody uses": "import app.plugins  # noqa: F401",
    "a function that is registered": "@listens_for(Base, 'x')\ndef heard(*_: object) -> None:\n    load()",
    "a place for modules": 'import sys\n\nsys.path[:0] = ["lib"]',
    "a variable": 'import os\n\nos.environ["MODE"] = "migrations"',
}
"""Statements that may fill the metadata."""

OPTIONS = {
    "compare_type": "True",
    "compare_server_default": "compare",
    "render_as_batch": "False",
    "transaction_per_migration": "True",
    "process_revision_directives": "compare",
    "include_name": "compare",
    "include_object": 'lambda object_, name, *_: name != "celery_taskmeta"',
    "user_module_prefix": '"app."',
}


def planned(folder: Path, env: str) -> init.Change:
    made(folder).write("migrations/env.py", env)
    [change] = init.changes(folder, declared()[1], None)
    return change


def refused(folder: Path, env: str) -> str:
    with pytest.raises(Refused) as found:
        planned(folder, env)
    assert (folder / "migrations/env.py").read_text() == env
    return str(found.value)


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("before", ["SCHEMA = ", "\n\ndef run_migrations_offline"])
def test_what_may_fill_the_metadata_is_carried_over(tmp_path: Path, name: str, before: str) -> None:
    change = planned(tmp_path, changed(SYNC, before, f"\n{FILLS[name]}\n\n{before}"))
    own = str(template.yours(change.after))
    above = change.after.partition(template.BEGIN)[0]
    assert {*FILLS[name].splitlines()} <= {*own.splitlines(), *above.splitlines()}


@pytest.mark.parametrize("mode", [0, 1], ids=["offline", "online"])
@pytest.mark.parametrize("name", OPTIONS)
def test_what_alembic_is_told_is_carried_over(tmp_path: Path, name: str, mode: int) -> None:
    env = SYNC.replace("include_name=include_name,", "")
    env = changed(
        env, "target_metadata=target_metadata,", f"target_metadata=target_metadata, {name}={OPTIONS[name]},", mode
    )
    env = changed(env, "SCHEMA = ", "def compare(*_: object) -> bool:\n    return True\n\n\nSCHEMA = ")
    own = str(template.yours(planned(tmp_path, env).after))
    assert f'    "{name}": {OPTIONS[name]},\n' in own
    assert ("def compare" in own) == (OPTIONS[name] == "compare")


def test_nothing_is_found_in_what_is_written(tmp_path: Path) -> None:
    """A filter of the service's own, and other options."""
    env = SYNC.replace("include_name=include_name,", "include_name=include_name, compare_type=True,")
    init.write([planned(tmp_path, env)])
    assert check(*declared(), tmp_path) == ()


def test_metadata_that_has_no_name_of_its_own(tmp_path: Path) -> None:
    env = SYNC.replace("target_metadata=target_metadata", "target_metadata=Base.metadata")
    env = changed(env, "target_metadata = Base.metadata\n", "")
    own = template.yours(planned(tmp_path, env).after)
    assert "target_metadata = Base.metadata" in str(own).splitlines()


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    env = changed(
        SYNC, "poolclass=pool.NullPool,", 'poolclass=pool.NullPool,\n        connect_args={"password": "hunter2"},'
    )
    extension = "connection.execute(text('CREATE EXTENSION vector'))"
    handed = 'connection = config.attributes["connection"]'
    locked = "with locking(connection):"
    online = (
        f"        {extension}\n        register(connection)\n        {handed}\n        {locked}\n            pass\n"
    )
    env = changed(env, "        connection.commit()\n", online)
    env = changed(env, "SCHEMA = ", "from app import locking\n\nSCHEMA = ")
    env = changed(
        env,
        "    with connectable.connect()",
        '    if "prod" in "url":\n        raise SystemExit\n    with connectable.connect()',
    )
    env += "\nprint('done')\n"
    left = planned(tmp_path, env).left
    lines = env.splitlines()
    assert {lines[int(each.split(":")[0].removeprefix("line ")) - 1].strip(" ,") for each in left} == {
        'connect_args={"password": "hunter2"}',
        "raise SystemExit",
        extension,
        "register(connection)",
        handed,
        locked,
        "print('done')",
    }
    assert "hunter2" not in "".join(left)
    assert any("engine_from_config(connect_args=...)" in each for each in left)


IN_A_FUNCTION = "    connectable = engine_from_config("


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (IN_A_FUNCTION, f"    import app.more\n\n{IN_A_FUNCTION}", "import app.more may fill the metadata"),
        (IN_A_FUNCTION, f"    load_all.run()\n\n{IN_A_FUNCTION}", "load_all.run() may fill the metadata"),
        (IN_A_FUNCTION, f"    load_all()\n\n{IN_A_FUNCTION}", "load_all() may fill the metadata"),
        (
            IN_A_FUNCTION,
            f"    Base.registry.configure_all()\n\n{IN_A_FUNCTION}",
            "Base.registry.configure_all() may fill",
        ),
        (
            IN_A_FUNCTION,
            f"    for table in target_metadata.tables.values():\n        table.schema = 'x'\n\n{IN_A_FUNCTION}",
            "for table in target_metadata.tables.values(): changes the metadata",
        ),
        (IN_A_FUNCTION, f"    target_metadata.schema = 'x'\n\n{IN_A_FUNCTION}", "target_metadata.schema = 'x' changes"),
        ("        connection.commit()", "        target_metadata.reflect(connection)", "may fill the metadata"),
        (
            "            include_name=include_name,",
            "            include_name=lambda *_: connection,",
            "include_name uses connection",
        ),
        (
            "            include_name=include_name,",
            "            **settings(),",
            "some options of context.configure are not written out",
        ),
        (
            "            include_name=include_name,",
            '            version_table="revisions",',
            "table has another name",
        ),
        (
            "            include_name=include_name,",
            "            include_name=None,",
            "include_name is not the same in each",
        ),
        (
            "            target_metadata=target_metadata,",
            "            target_metadata=connectable.metadata,",
            "is made from connectable",
        ),
        (
            "            target_metadata=target_metadata,",
            "            target_metadata=Base.metadata,",
            "target_metadata is not the same",
        ),
        ('SCHEMA = "madansara"', 'SCHEMA = "other"', "the new env.py uses the name SCHEMA for something else"),
        (
            "import asyncio\n",
            "from app import text\n\ntext.load()\n",
            "uses the name text for",
        ),
    ],
)
def test_what_may_fill_or_filter_and_cannot_go_over_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    env = changed(changed(SYNC, "SCHEMA = ", "from app import load_all\n\nSCHEMA = "), old, new)
    told = refused(tmp_path, env)
    assert said in told
    assert all(f"{tmp_path}/migrations/env.py, line " in each for each in told.splitlines()[1:])


def test_one_that_configures_nothing_that_can_be_read(tmp_path: Path) -> None:
    assert "there is no context.configure" in refused(tmp_path, "from app.migrations import run\n\nrun()\n")


def test_version_files_for_several_databases(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "migrations/versions/b2.py").write_text(
        'revision, down_revision = "b2", "a1"\n\n\ndef upgrade(engine_name: str) -> None:\n    pass\n'
    )
    assert "migrations/versions/b2.py, line 4: upgrade(engine_name) needs arguments" in refused(tmp_path, SYNC)


def test_one_for_several_databases(tmp_path: Path) -> None:
    env = (TEMPLATES / "multidb/env.py").read_text()
    place = f"{tmp_path}/migrations/env.py:{line(env, 'context.configure(', 1)}"
    assert f"{place} is for several databases. Nothing was written" in refused(tmp_path, env)


def test_one_of_flask_migrate(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/alembic.ini").write_text("[alembic]\n")
    (tmp_path / "migrations/env.py").write_text("from flask import current_app\n")
    with pytest.raises(Refused, match="Flask-Migrate, which takes Alembic's options from the application's code"):
        init.changes(tmp_path, declared()[1], None)
