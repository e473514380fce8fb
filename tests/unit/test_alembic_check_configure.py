"""What `context.configure` is told, and what the models say: one thing broken, and found where it stands."""

from pathlib import Path
from typing import Any

import pytest

from engarde.output.findings import Remedy
from tests.parts import sampled
from tests.unit.alembic_found import OWN as OWN_SCHEMA
from tests.unit.alembic_projects import ASYNC, BOTH, MODELS, SYNC, changed, line, made

run = pytest.mark.parametrize("env", sampled(BOTH.values(), SYNC), ids=BOTH)
"""Tests that run it: what a filter lets through is the same in both."""
both = pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
modes = pytest.mark.parametrize("mode", [0, 1], ids=["offline", "online"])

OWN = "    version_table_schema=SCHEMA,\n"
FILTER = """\
def include_name(name, type_, parent_names):
    if type_ == "schema":
        return name in (None, SCHEMA)
    return not (type_ == "table" and name == "alembic_version")
"""


@both
@modes
def test_no_version_table_schema(tmp_path: Path, env: str, mode: int) -> None:
    env = changed(env, "version_table_schema=SCHEMA,", "", mode)
    (finding,) = made(tmp_path).found(env)
    assert finding.check == "version table"
    assert finding.subject == f"migrations/env.py:{line(env, 'context.configure(', mode)}"
    assert finding.expected == f'version_table_schema="madansara" ({("offline", "online")[mode]})'
    assert finding.remedy == Remedy("code", 'version_table_schema="madansara",')
    assert finding.concerns == {"madansara", "madansara_user"}


@both
@modes
@pytest.mark.parametrize("value", ['"sankore"', "None", '"public"', '"Madansara"'])
def test_another_version_table_schema(tmp_path: Path, env: str, mode: int, value: str) -> None:
    env = changed(env, "version_table_schema=SCHEMA", f"version_table_schema={value}", mode)
    (finding,) = made(tmp_path).found(env)
    assert finding.check == "version table"
    assert finding.subject == f"migrations/env.py:{line(env, f'version_table_schema={value}')}"


@both
@pytest.mark.parametrize("value", ["settings.SCHEMA", "os.environ['DB_SCHEMA']", "schema_of('x')"])
def test_a_version_table_schema_that_is_not_written_out(tmp_path: Path, env: str, value: str) -> None:
    env = changed(env, "version_table_schema=SCHEMA", f"version_table_schema={value}", 1)
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.subject) == (
        "not judged",
        f"migrations/env.py:{line(env, f'version_table_schema={value}')}",
    )
    assert finding.actual.startswith("cannot be judged")
    command = f"madansara {tmp_path} --stack prod"
    assert finding.remedy.kind == "command"
    assert [text.partition("  # ")[0] for text in finding.remedy.text.splitlines()] == [
        f"bin/engarde alembic check {command} --run",
        f"bin/engarde alembic init {command}",
    ]


@both
def test_a_schema_of_the_environment_with_a_right_default(tmp_path: Path, env: str) -> None:
    env = changed(env, 'SCHEMA = "madansara"', 'SCHEMA = "madansara"\nOTHER = os.getenv("DB_SCHEMA", "madansara")')
    assert made(tmp_path).kinds(changed(env, OWN, "    version_table_schema=OTHER,\n", 1)) == []


@both
def test_another_name_of_the_version_table(tmp_path: Path, env: str) -> None:
    env = changed(env, "version_table_schema=SCHEMA,", "version_table_schema=SCHEMA, version_table='of_mine',", 1)
    (finding,) = made(tmp_path).found(env)
    assert finding.subject == f"migrations/env.py:{line(env, 'of_mine')}"
    assert finding.actual == "version_table='of_mine'"
    assert 'ALTER TABLE "madansara"."of_mine" RENAME TO alembic_version' in finding.remedy.text


@both
def test_options_that_are_not_written_out(tmp_path: Path, env: str) -> None:
    env = changed(env, "version_table_schema=SCHEMA,", "**more(),", 1)
    found = made(tmp_path).found(env)
    assert {each.check for each in found} == {"not judged"}
    assert found[0].subject == f"migrations/env.py:{line(env, 'context.configure(', 1)}"


def test_nothing_configures_alembic(tmp_path: Path) -> None:
    env = "from libs.env import run_migrations\n\nrun_migrations()\n"
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.subject) == ("not judged", "migrations/env.py:1")


NAMED = "def include_name(name, type_, parent_names):\n"
DROPS = "autogenerate also compares the tables of sankore, public, and proposes to drop them"
DROPS_OWN = "autogenerate proposes to drop madansara.alembic_version"
BLIND = "the filter hides them: to autogenerate, the login's first schema is None, not its name"


def filtered(text: str, env: str) -> str:
    """The env.py with another filter."""
    return changed(env, FILTER, text)


@both
def test_no_filter(tmp_path: Path, env: str) -> None:
    env = changed(env, "include_name=include_name,", "", 1)
    found = made(tmp_path).found(env)
    assert [each.actual for each in found] == [DROPS, DROPS_OWN]
    assert {each.subject for each in found} == {f"migrations/env.py:{line(env, 'include_schemas=True', 1)}"}


@run
@pytest.mark.parametrize(
    ("test", "actual"),
    [
        (
            "name in (None, SCHEMA, 'public')",
            "autogenerate also compares the tables of public, and proposes to drop them",
        ),
        (
            "name not in ('public', 'sankore')",
            "autogenerate also compares the tables of any other schema, and proposes to drop them",
        ),
        ("name != 'public'", "autogenerate also compares the tables of sankore, and proposes to drop them"),
        ("True", DROPS),
        ("name == SCHEMA", BLIND),
        ("name in [SCHEMA]", BLIND),
        ("name == 'sankore'", None),
    ],
)
def test_a_filter_by_name(tmp_path: Path, env: str, test: str, actual: str | None) -> None:
    env = changed(env, "name in (None, SCHEMA)", test)
    found = made(tmp_path).computed(env)
    number = line(env, "include_name=include_name", 1)
    if actual is None:
        drops = "autogenerate also compares the tables of sankore, and proposes to drop them"
        assert [each.actual for each in found] == [drops, BLIND]
    else:
        assert [each.actual for each in found] == [actual]
    assert {(each.check, each.subject) for each in found} == {
        ("filter", f"migrations/env.py:{min(number, line(env, 'include_name=include_name', 1))}")
    }


@run
@pytest.mark.parametrize(
    "body",
    [
        'if type_ == "schema":\n        return name in (None, SCHEMA)\n    return True',
        'return name in (None, SCHEMA) if type_ == "schema" else True',
        'return type_ != "schema" or name is None or name == SCHEMA',
        'if type_ == "schema" and name not in [None, SCHEMA]:\n        return False\n    return True',
        'wanted = {None, SCHEMA}\n    if type_ == "schema":\n        return name in wanted\n    return True',
        'if type_ != "schema":\n        return True\n    if not name:\n        return True\n    return name == SCHEMA',
    ],
)
def test_usual_forms_that_forget_the_version_table(tmp_path: Path, env: str, body: str) -> None:
    env = filtered(f"def include_name(name, type_, parent_names):\n    {body}\n", env)
    found = made(tmp_path).computed(env)
    assert [each.actual for each in found] == [DROPS_OWN]
    assert found[0].subject == f"migrations/env.py:{line(env, 'include_name=include_name', 1)}"


TABLES = [
    "if type_ == 'table':\n        return bool(parent_names['schema_name'] in {None, SCHEMA}) and name != VERSION\n"
    "    return True",
    "schema: str | None = parent_names.get('schema_name')\n"
    "    if type_ == 'table' and (schema or SCHEMA) != SCHEMA:\n        return False\n"
    "    return type_ != 'table' or not name.lower().startswith('alembic')",
    "'Only what is ours.'\n    pass\n    if type_ == 'table':\n"
    "        return name in list(target_metadata.tables.keys())\n    return True",
    "if type_ == 'table':\n        return parent_names.get('schema', None) is None and name in target_metadata.tables\n"
    "    return True",
    "if type_ == 'schema':\n        return name in OWN\n    return name != VERSION",
]


@run
@pytest.mark.parametrize("body", TABLES)
def test_filters_by_name_that_are_right(tmp_path: Path, env: str, body: str) -> None:
    text = f"OWN, VERSION = [None, SCHEMA], 'alembic_version'\n\n\n{NAMED}    {body}\n"
    assert made(tmp_path).computed(filtered(text, env)) == ()


@both
@pytest.mark.parametrize("names", ["(None, SCHEMA)", '(None, "madansara")', "OWN"])
def test_the_filter_that_findings_say_to_write_is_judged_by_its_text(tmp_path: Path, env: str, names: str) -> None:
    text = f"OWN, VERSION = (None, SCHEMA), 'alembic_version'\n\n\n{FILTER.replace('(None, SCHEMA)', names)}"
    project = made(tmp_path)
    assert project.kinds(filtered(text.replace('"alembic_version")', "VERSION)"), env)) == []
    assert {each.check for each in project.found(filtered(text.replace("VERSION = (None", "VERSION = ('x'"), env))} == (
        {"not judged"} if names == "OWN" else set()
    )


@run
def test_a_filter_that_returns_nothing(tmp_path: Path, env: str) -> None:
    text = f"{NAMED}    if name == 'x':\n        return True\n"
    assert [each.actual for each in made(tmp_path).computed(filtered(text, env))] == [BLIND]


@both
@pytest.mark.parametrize(
    "text",
    [
        "def include_name(name, type_, parent_names, more):\n    return True\n",
        "def include_name(name, type_, parent_names):\n    return name.find('x') and name < 'y'\n",
        "def include_name(name, type_, parent_names):\n    return allowed[name]\n",
        "def include_name(name, type_, parent_names):\n    return getattr(object, 'x')\n",
    ],
)
def test_filters_that_are_not_judged(tmp_path: Path, env: str, text: str) -> None:
    assert [each.check for each in made(tmp_path).found(filtered(text, env))] == ["not judged"]


@run
@pytest.mark.parametrize(
    "body",
    [
        'if hasattr(object, "schema") and object.schema not in (None, SCHEMA):\n        return False\n'
        '    return name != "alembic_version"',
        'if type_ == "table":\n        return object.schema in (None, SCHEMA) and name != "alembic_version"\n'
        "    return True",
        'if type_ == "table" and reflected and compare_to is None:\n        return False\n    return True',
        'return not (type_ == "table" and reflected and name not in target_metadata.tables)',
        'if type_ == "table" and object.schema not in (None, SCHEMA):\n        return False\n'
        '    return not (type_ == "table" and name.startswith("alembic_"))',
        'schema = getattr(object, "schema", None)\n    if schema is not None and schema != SCHEMA:\n'
        '        return False\n    return name != "alembic_version"',
    ],
)
def test_filters_by_object_that_are_right(tmp_path: Path, env: str, body: str) -> None:
    text = f"def include_object(object, name, type_, reflected, compare_to):\n    {body}\n"
    env = filtered(text, env).replace("include_name=include_name", "include_object=include_object")
    assert made(tmp_path).computed(env) == ()


@run
@pytest.mark.parametrize(
    ("body", "actual"),
    [
        ('return type_ != "table" or object.schema == SCHEMA', [BLIND]),
        ("return True", [DROPS, DROPS_OWN]),
        ('return type_ != "table" or name not in ("alembic_version", "spatial_ref_sys")', [DROPS]),
        ('return type_ != "table" or object.schema in (None, SCHEMA)', [DROPS_OWN]),
    ],
)
def test_filters_by_object_that_are_not(tmp_path: Path, env: str, body: str, actual: list[str]) -> None:
    text = f"def include_object(object, name, type_, reflected, compare_to):\n    {body}\n"
    env = filtered(text, env).replace("include_name=include_name", "include_object=include_object")
    found = made(tmp_path).computed(env)
    assert [each.actual for each in found] == actual
    assert {each.subject for each in found} == {f"migrations/env.py:{line(env, 'include_object=include_object', 1)}"}


def test_a_filter_by_object_with_the_schema_in_the_models(tmp_path: Path) -> None:
    """There `schema == own` sees the service's tables, whose models name it."""
    text = (
        "def include_object(object, name, type_, reflected, compare_to):\n"
        "    return type_ != 'table' or object.schema == target_metadata.schema\n"
    )
    env = filtered(text, SYNC).replace("include_name=include_name", "include_object=include_object")
    project = made(tmp_path)
    metadata = "metadata = MetaData(schema='madansara')"
    project.write("app/models.py", f"from sqlalchemy import MetaData\n\n\nclass Base:\n    {metadata}\n")
    assert project.computed(env) == ()


@both
@pytest.mark.parametrize(
    "text",
    [
        "def include_name(name, type_, parent_names):\n    for each in (None, SCHEMA):\n"
        "        if name == each:\n            return True\n    return False\n",
        "def include_name(name, type_, parent_names):\n    return allowed(name)\n",
        "from elsewhere import include_name\n",
        "include_name = make(SCHEMA)\n",
    ],
)
def test_a_filter_of_another_form(tmp_path: Path, env: str, text: str) -> None:
    env = filtered(text, env)
    found = made(tmp_path).found(env)
    assert [(each.check, each.subject) for each in found] == [
        ("not judged", f"migrations/env.py:{line(env, 'include_name=include_name', 1)}")
    ]


@run
def test_a_lambda(tmp_path: Path, env: str) -> None:
    right = "lambda name, type_, _: name in (None, SCHEMA) if type_ == 'schema' else name != 'alembic_version'"
    project = made(tmp_path)
    assert project.computed(changed(env, "include_name=include_name", f"include_name={right}", 1)) == ()
    wrong = changed(env, "include_name=include_name", "include_name=lambda *_: True", 1)
    assert [each.actual for each in project.computed(wrong)] == [DROPS, DROPS_OWN]


@both
def test_without_other_schemas_no_filter_is_needed_for_them(tmp_path: Path, env: str) -> None:
    env = env.replace("include_schemas=True,", "")
    assert made(tmp_path).kinds(env) == []
    found = made(tmp_path).found(env.replace("include_name=include_name,", ""))
    assert [each.actual for each in found] == [DROPS_OWN]


@both
@pytest.mark.parametrize(
    ("models", "part"),
    [
        ("class Base:\n    metadata = MetaData(schema='sankore')\n", "schema='sankore'"),
        ("Base = declarative_base()\nBase.metadata.schema = 'Madansara'\n", "metadata.schema"),
        ("class Base:\n\n    __table_args__ = (\n        {'schema': 'sankore'},\n    )\n", "'schema'"),
        ("Base = 1\nusers = Table('users', Base.metadata, schema='public')\n", "schema='public'"),
    ],
)
def test_models_with_anothers_schema(tmp_path: Path, env: str, models: str, part: str) -> None:
    project = made(tmp_path)
    project.write("app/models.py", models)
    found = [each for each in project.found(env) if each.check == "metadata schema"]
    assert [each.subject for each in found] == [f"app/models.py:{line(models, part)}"]


def test_a_schema_of_models_that_is_not_written_out(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.write("app/models.py", "class Base:\n    metadata = MetaData(schema=settings.schema)\n")
    assert "not judged app/models.py:2" in project.kinds(SYNC)


@pytest.mark.parametrize("schema", ["madansara", "x"])
def test_a_schema_that_env_py_sets_once_the_tables_are_there(tmp_path: Path, schema: str) -> None:
    """It changes none of them, and only a filter that asks the metadata for it meets it."""
    late = f"target_metadata = Base.metadata\ntarget_metadata.schema = {schema!r}\n"
    env = changed(SYNC, "target_metadata = Base.metadata\n", late)
    assert made(tmp_path).kinds(env) == []
    text = (
        "def include_object(object, name, type_, reflected, compare_to):\n"
        "    return type_ != 'table' or object.schema == target_metadata.schema\n"
    )
    env = filtered(text, env).replace("include_name=include_name", "include_object=include_object")
    found = made(tmp_path).computed(env)
    assert [each.actual for each in found] == [BLIND]


KEYS = [
    "metadata = MetaData(schema='madansara')\n\n\nclass Base:\n    metadata, x = metadata, ForeignKey('y.z')\n",
    "class Base:\n    __table_args__ = {'schema': 'madansara'}\n    x = mapped_column(ForeignKey('y.z'))\n",
    "class Base:\n    __table_args__ = (ForeignKeyConstraint(['x'], ['y.z']), {'schema': 'madansara'})\n",
    "class Base(SQLModel):\n    __table_args__ = {'schema': 'madansara'}\n    x: int = Field(foreign_key='y.z')\n",
    "Base = 1\nparts = Table('parts', Base.metadata, Column('x', ForeignKey('y.z')), schema='madansara')\n",
]


@both
@pytest.mark.parametrize("models", KEYS)
def test_foreign_keys_of_models_with_the_own_schema(tmp_path: Path, env: str, models: str) -> None:
    project = made(tmp_path)
    project.write("app/models.py", models)
    (finding,) = project.found(env)
    assert (finding.check, finding.subject) == ("metadata schema", f"app/models.py:{line(models, 'madansara')}")
    assert finding.actual == "madansara: autogenerate proposes to drop and create again every foreign key, each time"
    project.write("app/models.py", models.replace("schema='madansara'", "").replace("'schema': 'madansara'", ""))
    assert project.kinds(env) == []


@pytest.mark.parametrize("key", ["name", 'f"{SCHEMA}.{name}"'])
def test_a_filter_that_asks_the_models_for_names(tmp_path: Path, key: str) -> None:
    """The names of tables with a schema begin with it; what is not seen has no foreign keys to make anew."""
    project = made(tmp_path)
    project.write("app/models.py", OWN_SCHEMA["app/models.py"])
    text = f"{NAMED}    return type_ != 'table' or {key} in target_metadata.tables\n"
    found = [each.check for each in project.computed(filtered(text, SYNC))]
    assert found == (["filter"] if key == "name" else ["metadata schema"])


def test_foreign_keys_of_other_tables(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.write(
        "app/models.py",
        "class Base:\n    __table_args__ = {'schema': 'madansara'}\n\n\nclass Part:\n    x = ForeignKey('y.z')\n",
    )
    assert project.kinds(SYNC) == []


def test_a_table_that_it_is_declared_to_read(tmp_path: Path) -> None:
    """A model of it is fine once autogenerate leaves it alone."""
    service: dict[str, Any] = {"reads": ["public.users"]}
    user = "class User(Base):\n    __tablename__ = 'users'\n    __table_args__ = {'schema': 'public'}\n"
    models = f"{MODELS}\n\n{user}    id = Column(Integer, primary_key=True)\n"
    project = made(tmp_path, service)
    project.write("app/models.py", models)
    assert project.kinds(SYNC) == [f"metadata schema app/models.py:{line(models, 'public')}"]
    text = (
        "def include_object(object, name, type_, reflected, compare_to):\n"
        "    return type_ != 'table' or object.schema != 'public'\n\n\n"
    )
    env = changed(SYNC, "def include_name", f"{text}def include_name")
    env = env.replace("include_name=include_name,", "include_name=include_name, include_object=include_object,")
    assert project.computed(env) == ()


def test_several_heads(tmp_path: Path) -> None:
    project = made(tmp_path, {"migrations": {"path": "../x", "command": ["uv", "run", "alembic"]}})
    project.write("migrations/versions/b2.py", "'''b'''\nrevision = 'b2'\ndown_revision = 'a1'\n")
    project.write("migrations/versions/c3.py", "revision = 'c3'\ndown_revision = 'a1'\n")
    (finding,) = project.found(ASYNC)
    assert (finding.check, finding.subject, finding.actual) == ("heads", "migrations/versions/c3.py:2", "b2, c3")
    assert finding.remedy == Remedy("command", f"cd {tmp_path} && uv run alembic merge heads -m 'one head'")
