"""What is right is left alone, however it is written."""

from pathlib import Path

import alembic
import pytest

from tests.parts import sampled
from tests.unit.alembic_projects import ASYNC, BOTH, GUIDE, INI, SYNC, changed, line, made

TEMPLATES = Path(alembic.__file__).parent / "templates"

SCHEMA = '\nSCHEMA = "madansara"\n'
URL = """
import os

config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))
"""
OFFLINE = """        dialect_opts={"paramstyle": "named"},
        version_table_schema=SCHEMA,
"""


def of_template(name: str) -> str:
    """An env.py of Alembic's own, with as little added as makes it right."""
    text = (TEMPLATES / name / "env.py").read_text()
    text = changed(text, "\n# Interpret the config", f"{SCHEMA}{URL}\n# Interpret the config")
    text = changed(text, '        dialect_opts={"paramstyle": "named"},\n', OFFLINE)
    text = changed(
        text,
        "        context.run_migrations()",
        "        context.execute(f'SET search_path TO \"{SCHEMA}\"')\n        context.run_migrations()",
    )
    if "async" in name:
        text = changed(
            text,
            "connection=connection, target_metadata=target_metadata",
            "connection=connection, target_metadata=target_metadata, version_table_schema=SCHEMA",
        )
        return changed(
            text,
            '.replace("%", "%%")',
            '.replace("postgresql://", "postgresql+asyncpg://", 1).replace("%", "%%")',
        )
    return changed(
        text,
        "connection=connection, target_metadata=target_metadata",
        "connection=connection, target_metadata=target_metadata, version_table_schema=SCHEMA",
    )


@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_a_right_one(tmp_path: Path, env: str) -> None:
    assert made(tmp_path).kinds(env) == []


@pytest.mark.parametrize("name", ["generic", "async", "pyproject", "pyproject_async"])
def test_templates_made_right(tmp_path: Path, name: str) -> None:
    project = made(tmp_path)
    assert project.kinds(of_template(name)) == []
    project.write("alembic.ini", f"{INI}sqlalchemy.url = driver://user:pass@localhost/dbname\n")
    assert project.kinds(of_template(name)) == []


@pytest.mark.parametrize("name", ["generic", "async", "pyproject", "pyproject_async"])
def test_templates_as_they_come(tmp_path: Path, name: str) -> None:
    text = (TEMPLATES / name / "env.py").read_text()
    offline, online = line(text, "context.configure("), line(text, "context.configure(", 1)
    engine = line(text, "= async_engine_from_config(" if "async" in name else "= engine_from_config(")
    assert made(tmp_path).kinds(text) == [
        f"version table migrations/env.py:{offline}",
        f"version table migrations/env.py:{online}",
        f"offline search_path migrations/env.py:{offline}",
        f"url migrations/env.py:{engine}",
    ]


def test_the_guides_own_example(tmp_path: Path) -> None:
    found = made(tmp_path).found(GUIDE)
    assert [(each.check, each.subject, each.actual) for each in found] == [
        (
            "filter",
            "migrations/env.py:25",
            "autogenerate also compares the tables of sankore, public, and proposes to drop them",
        ),
        ("filter", "migrations/env.py:25", "autogenerate proposes to drop madansara.alembic_version"),
        (
            "search_path",
            "migrations/env.py:17",
            "madansara, public: autogenerate proposes to drop the tables of public",
        ),
        (
            "offline search_path",
            "migrations/env.py:21",
            "no offline mode: `alembic upgrade --sql` logs in, and writes no search_path into the script",
        ),
        ("url", "migrations/env.py:13", "sqlalchemy.url of alembic.ini"),
    ]


NAMES = ["Madansara", "mada-n sara", "it's", "user", "größe", "a.b", "a{b}", "x%y"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_odd_schemas(tmp_path: Path, env: str, name: str) -> None:
    literal = f"SCHEMA = {name!r}"
    project = made(tmp_path, {"schema": name})
    assert project.kinds(changed(env, 'SCHEMA = "madansara"', literal)) == []
    assert project.kinds(env) != []


@pytest.mark.parametrize("name", NAMES)
def test_the_code_to_write_is_right_for_odd_schemas(tmp_path: Path, name: str) -> None:
    """What the findings say to write, written: nothing is left to find."""
    project = made(tmp_path, {"schema": name})
    env = changed(SYNC, 'SCHEMA = "madansara"', f"SCHEMA = {name!r}")
    offline = changed(env, "        context.execute(f'SET search_path TO \"{SCHEMA}\"')\n", "")
    (finding,) = project.found(offline)
    statement = finding.remedy.text.splitlines()[1].strip()
    put = changed(offline, "        context.run_migrations()", f"        {statement}\n        context.run_migrations()")
    assert project.kinds(put) == []
    (finding,) = project.found(changed(env, "        version_table_schema=SCHEMA,\n", ""))
    assert project.kinds(changed(env, "version_table_schema=SCHEMA,", finding.remedy.text)) == []


def test_a_shared_configure(tmp_path: Path) -> None:
    """One function with options of its own, handed the rest by both modes."""
    env = changed(
        SYNC,
        "def include_name",
        "def configure(**kwargs):\n    context.configure(\n"
        "        target_metadata=target_metadata,\n        version_table_schema=SCHEMA,\n"
        "        include_schemas=True,\n"
        "        include_name=include_name,\n        **kwargs,\n    )\n\n\ndef include_name",
    )
    start, end = env.index("    context.configure(\n        url="), env.index("    with context.begin_transaction")
    env = env[:start] + "    configure(url=config.get_main_option('sqlalchemy.url'), literal_binds=True)\n" + env[end:]
    start, end = (
        env.index("        context.configure(\n            connection="),
        env.rindex("        with context.begin"),
    )
    env = env[:start] + "        configure(connection=connection)\n" + env[end:]
    project = made(tmp_path)
    assert project.computed(env) == ()
    without = changed(env, "        version_table_schema=SCHEMA,\n", "")
    number = line(without, "    context.configure(")
    found = [(each.check, each.subject) for each in project.computed(without)]
    assert found == [("version table", f"migrations/env.py:{number}")] * 2


OPTIONS = [
    "OPTIONS = {'version_table_schema': SCHEMA, 'include_schemas': True, 'include_name': include_name}",
    "OPTIONS = dict(version_table_schema=SCHEMA, include_schemas=True, include_name=include_name)",
    "MORE = {'include_name': include_name}\n"
    "OPTIONS = {**MORE, 'version_table_schema': SCHEMA, 'include_schemas': True}",
]
MADE = [
    "def options():\n    return {'version_table_schema': SCHEMA, 'include_schemas': True,"
    " 'include_name': include_name}\n\n\nOPTIONS = options()",
    "OPTIONS = {'include_schemas': True, 'version_table_schema': SCHEMA}\n"
    "OPTIONS.update({'include_name': include_name})",
    "OPTIONS = {'include_schemas': True}\nOPTIONS['version_table_schema'] = SCHEMA\n"
    "OPTIONS.update(include_name=include_name)",
]


def with_options(env: str, options: str) -> str:
    told = ("version_table_schema=SCHEMA,", "include_schemas=True,", "include_name=include_name,")
    for each in told:
        env = env.replace(each, "" if each != told[-1] else "**OPTIONS,")
    return changed(env, "\n\ndef run_migrations_offline", f"\n\n{options}\n\n\ndef run_migrations_offline")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_options_in_a_map(tmp_path: Path, env: str, options: str) -> None:
    env = with_options(env, options)
    project = made(tmp_path)
    assert project.kinds(env) == []
    assert len(project.kinds(changed(env, 'SCHEMA = "madansara"', "SCHEMA = 'sankore'"))) > 2


@pytest.mark.parametrize("options", MADE)
@pytest.mark.parametrize("env", sampled(BOTH.values(), SYNC), ids=BOTH)
def test_options_in_a_map_that_is_computed(tmp_path: Path, env: str, options: str) -> None:
    env = with_options(env, options)
    project = made(tmp_path)
    assert project.computed(env) == ()
    wrong = project.computed(changed(env, 'SCHEMA = "madansara"', "SCHEMA = 'sankore'"))
    assert len({each.check for each in wrong} - {"not judged"}) > 2


def test_values_in_modules_of_the_project(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.write(
        "app/settings.py", "import os\n\nSCHEMA = 'madansara'\n\n\ndef url():\n    return os.environ['DATABASE_URL']\n"
    )
    project.write(
        "app/filters.py",
        "from .settings import SCHEMA\n\n\ndef include_name(name, type_, parent_names):\n"
        "    if type_ == 'schema':\n        return name in {None, SCHEMA}\n    return name != 'alembic_version'\n",
    )
    start, end = SYNC.index("def include_name"), SYNC.index("def run_migrations_offline")
    env = SYNC[:start] + SYNC[end:]
    env = changed(
        env, 'SCHEMA = "madansara"\n', "from app.settings import SCHEMA\nfrom app.filters import include_name\n"
    )
    assert project.computed(env) == ()
    project.write("app/settings.py", "SCHEMA = 'sankore'\n")
    assert len({each.check for each in project.found(env)} - {"not judged"}) > 1
    assert len({each.check for each in project.computed(env)} - {"not judged"}) > 2


@pytest.mark.parametrize(
    "text",
    [
        "SCHEMA = 'sankore'\nif True:\n    SCHEMA = 'madansara'\n",
        "if True:\n    SCHEMA = 'madansara'\n",
        "try:\n    from app.more import SCHEMA\nexcept ImportError:\n    SCHEMA = 'madansara'\n",
        "for SCHEMA in ('sankore', 'madansara'):\n    pass\n",
        "SCHEMA = 'madan'\nSCHEMA += 'sara'\n",
        "SCHEMA = 'sankore'\nSCHEMA = 'madansara'\n",
        "SCHEMA = 'sankore'\n\n\ndef choose():\n    global SCHEMA\n    SCHEMA = 'madansara'\n\n\nchoose()\n",
    ],
)
def test_names_that_are_given_several_values_or_one_sometimes(tmp_path: Path, text: str) -> None:
    env = changed(SYNC, 'SCHEMA = "madansara"\n', text)
    assert {each.check for each in made(tmp_path).found(env)} == {"not judged"}
    assert made(tmp_path).computed(env) == ()


def test_modules_that_cannot_be_read(tmp_path: Path) -> None:
    """They are not Alembic's matter, and leave nothing but what they would have told."""
    project = made(tmp_path)
    project.write("app/models.py", "from ...far import Base\nthis is no Python\n")
    project.write("app/settings.py", "from .... import x\nSCHEMA: str = 'madansara'\n")
    env = changed(SYNC, 'SCHEMA = "madansara"\n', "from app import settings\n\nSCHEMA = settings.SCHEMA\n")
    assert project.kinds(env) == []
    chosen = changed(env, "SCHEMA = settings.SCHEMA", "SCHEMA = settings.SCHEMA if True else 'madansara'")
    assert {each.check for each in project.found(chosen)} == {"not judged"}
    # It cannot be run either.
    assert {each.check for each in project.found(chosen, run=True)} == {"not judged"}


@pytest.mark.parametrize(
    "models",
    [
        "metadata = MetaData(schema='madansara')\n\n\nclass Base:\n    metadata = metadata\n",
        "Base = declarative_base()\nBase.metadata.schema = 'madansara'\n",
        "SCHEMA = 'madansara'\n\n\nclass Base:\n    __table_args__ = ({}, {'schema': SCHEMA})\n",
        "class Base:\n    __table_args__ = {'schema': 'madansara', 'comment': 'x'}\n",
    ],
)
@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_models_with_the_own_schema(tmp_path: Path, env: str, models: str) -> None:
    project = made(tmp_path)
    project.write("app/models.py", models)
    assert project.kinds(env) == []


def test_no_models_at_all_need_no_filter(tmp_path: Path) -> None:
    env = changed(ASYNC, "Base.metadata", "None")
    env = env.replace("include_name=include_name,", "").replace("include_schemas=True,", "")
    assert made(tmp_path).kinds(env) == []


def test_the_connection_of_somebody_else(tmp_path: Path) -> None:
    """An engine that the application makes: where its URL comes from is not told, and only running it tells."""
    start, end = SYNC.index("    connectable = engine"), SYNC.index("    with connectable")
    env = SYNC[:start] + "    from app.db import engine as connectable\n" + SYNC[end:]
    env = changed(env, 'config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))\n', "")
    env = changed(env, 'url=config.get_main_option("sqlalchemy.url")', 'dialect_name="postgresql"')
    project = made(tmp_path)
    project.write(
        "app/db.py",
        "import os\nfrom sqlalchemy import create_engine\n\nengine = create_engine(os.environ['DATABASE_URL'])",
    )
    assert project.kinds(env) == [f"not judged migrations/env.py:{line(env, 'context.configure(', 1)}"]
    assert project.computed(env) == ()
