"""Which schemas unqualified names reach: by each way to set a search_path, in both modes."""

from pathlib import Path
from typing import Any

import pytest

from engarde.alembic.environment import spelled
from tests.unit.alembic_projects import ASYNC, BOTH, SYNC, changed, line, made

STATEMENT = "connection.execute(text(f'SET search_path TO \"{SCHEMA}\"'))"
COMMIT = "        connection.commit()\n"
OFFLINE = "        context.execute(f'SET search_path TO \"{SCHEMA}\"')\n"
SHOWN = "madansara, public: autogenerate proposes to drop the tables of public"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("madansara", ("madansara",)),
        ("Madansara, public", ("madansara", "public")),
        ('"Madansara",public', ("Madansara", "public")),
        ('"it""s", "a, b"', ('it"s', "a, b")),
        ("'a, b'", ("a, b",)),
        ("madansara; SELECT 1", ("madansara",)),
        ('"$user", public', ("$user", "public")),
        ("", ()),
    ],
)
def test_a_path_as_postgresql_reads_it(text: str, names: tuple[str, ...]) -> None:
    assert spelled(text) == names


@pytest.mark.parametrize(
    "statement",
    [
        STATEMENT,
        "connection.execute(text('SET search_path TO madansara'))",
        "connection.execute(text('set  SEARCH_PATH = Madansara'))",
        "connection.execute(text('SET SESSION search_path TO ' + SCHEMA))",
        "connection.exec_driver_sql(f'SET search_path = \"{SCHEMA}\", pg_catalog')",
        "connection.execute(text(\"SELECT set_config('search_path', 'madansara', false)\"))",
        'connection.execute(text(f\'SET search_path TO {os.getenv("DB_SCHEMA", "madansara")}\'))',
    ],
)
def test_statements_that_are_right(tmp_path: Path, statement: str) -> None:
    assert made(tmp_path).kinds(changed(SYNC, STATEMENT, statement)) == []


@pytest.mark.parametrize(
    ("path", "actual"),
    [
        ("public, madansara", "search_path: public, madansara"),
        ("sankore", "search_path: sankore"),
        ("madansara, sankore", "search_path: madansara, sankore"),
        ('"Madansara"', "search_path: Madansara"),
        ('"$user"', "search_path: $user"),
        ("'madansara, public'", 'search_path: "madansara, public"'),
    ],
)
def test_a_path_that_leads_elsewhere(tmp_path: Path, path: str, actual: str) -> None:
    env = changed(SYNC, STATEMENT, f"connection.exec_driver_sql({f'SET search_path TO {path}'!r})")
    found = [each for each in made(tmp_path).found(env) if each.actual != SHOWN]
    assert [(each.check, each.actual, each.subject) for each in found] == [
        ("search_path", actual, f"migrations/env.py:{line(env, 'SET search_path', 1)}")
    ]
    assert found[0].remedy.text.splitlines()[0] == "connection.execute(text('SET search_path TO \"madansara\"'))"


def test_what_the_code_to_write_leaves(tmp_path: Path) -> None:
    env = changed(SYNC, f"        {STATEMENT}\n{COMMIT}", "")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.actual) == ("search_path", SHOWN)
    written = "".join(f"        {each}\n" for each in finding.remedy.text.splitlines())
    assert made(tmp_path).kinds(changed(SYNC, f"        {STATEMENT}\n{COMMIT}", written)) == []


def test_a_path_that_is_not_written_out(tmp_path: Path) -> None:
    env = changed(SYNC, STATEMENT, "connection.execute(text(f'SET search_path TO {settings.schema}'))")
    found = made(tmp_path).found(env)
    assert ("not judged", f"migrations/env.py:{line(env, 'settings.schema')}") in {
        (each.check, each.subject) for each in found
    }


def test_public_shows_its_tables(tmp_path: Path) -> None:
    env = changed(SYNC, STATEMENT, "connection.exec_driver_sql('SET search_path TO madansara, public')")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.actual) == ("search_path", SHOWN)
    assert finding.subject == f"migrations/env.py:{line(env, 'madansara, public')}"


def test_a_filter_by_name_of_tables_hides_what_public_shows(tmp_path: Path) -> None:
    env = changed(SYNC, f"        {STATEMENT}\n{COMMIT}", "")
    env = changed(env, 'name == "alembic_version")', "name not in target_metadata.tables)")
    assert made(tmp_path).computed(env) == ()


def test_an_extensions_schema_may_be_in_the_path(tmp_path: Path) -> None:
    env = changed(SYNC, STATEMENT, "connection.exec_driver_sql('SET search_path TO madansara, gis')")
    assert [each.check for each in made(tmp_path).found(env)] == ["search_path"]
    sections: dict[str, Any] = {
        "existingSchemas": {"public": {"creators": ["postgres"]}, "gis": {"creators": ["postgres"]}}
    }
    assert made(tmp_path, extensions={"postgis": {"schema": "gis"}}, **sections).kinds(env) == []


@pytest.mark.parametrize(
    "arguments",
    [
        '"options": "-c search_path=madansara"',
        '"options": "-csearch_path=madansara"',
        '"options": f"-c search_path={SCHEMA} -c lock_timeout=5s"',
        '"options": "-c lock_timeout=5s -c search_path=madansara,pg_catalog"',
    ],
)
def test_options_of_the_driver(tmp_path: Path, arguments: str) -> None:
    env = changed(SYNC, f"        {STATEMENT}\n{COMMIT}", "")
    env = changed(env, "poolclass=pool.NullPool,", f"poolclass=pool.NullPool, connect_args={{{arguments}}},")
    assert made(tmp_path).kinds(env) == []
    asked = made(tmp_path).kinds(env.replace("search_path=madansara", "search_path=sankore"))
    assert asked == [] if "SCHEMA" in arguments else asked == [f"search_path migrations/env.py:{line(env, arguments)}"]


@pytest.mark.parametrize(
    ("env", "arguments", "word"),
    [
        (ASYNC, '"options": "-c search_path=madansara"', "server_settings"),
        (SYNC, '"server_settings": {"search_path": "madansara"}', "options"),
    ],
)
def test_the_word_of_another_driver(tmp_path: Path, env: str, arguments: str, word: str) -> None:
    right = 'connect_args={"server_settings": {"search_path": f\'"{SCHEMA}"\'}},'
    if env is ASYNC:
        wrong = changed(env, right, f"connect_args={{{arguments}}},")
    else:
        wrong = changed(env, "poolclass=pool.NullPool,", f"poolclass=pool.NullPool, connect_args={{{arguments}}},")
    (finding,) = made(tmp_path).found(wrong)
    assert (finding.check, finding.subject) == ("search_path", f"migrations/env.py:{line(wrong, arguments)}")
    assert word in finding.expected
    put = changed(wrong, f"connect_args={{{arguments}}}", finding.remedy.text)
    assert made(tmp_path).kinds(put) == []


@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_a_script_without_its_path(tmp_path: Path, env: str) -> None:
    env = changed(env, OFFLINE, "")
    (finding,) = made(tmp_path).found(env)
    assert finding.check == "offline search_path"
    assert finding.subject == f"migrations/env.py:{line(env, 'context.configure(')}"


@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_no_offline_mode(tmp_path: Path, env: str) -> None:
    """What is said to be written, written, heals it."""
    start, end = (
        env.index("def run_migrations_offline"),
        env.index("async def" if env is ASYNC else "def run_migrations_online"),
    )
    if env is ASYNC:
        end = env.index("def do_run_migrations")
    without = env[:start] + env[end:]
    without = without[: without.index("if context.is_offline_mode")] + "run_migrations_online()\n"
    (finding,) = made(tmp_path).found(without)
    assert finding.check == "offline search_path"
    assert finding.subject == f"migrations/env.py:{line(without, 'context.configure(')}"
    healed = without.replace(
        "\nrun_migrations_online()\n", f"\n{finding.remedy.text}\nelse:\n    run_migrations_online()\n"
    )
    assert made(tmp_path).kinds(healed) == []


@pytest.mark.parametrize(
    "text",
    [
        "connection.execute(text('CREATE SCHEMA IF NOT EXISTS madansara'))",
        "connection.execute(text(f'create schema if not exists {SCHEMA}'))",
        "connection.execute(CreateSchema(SCHEMA, if_not_exists=True))",
    ],
)
def test_an_env_py_that_makes_its_schema(tmp_path: Path, text: str) -> None:
    env = changed(SYNC, f"        {STATEMENT}", f"        {text}\n        {STATEMENT}")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.subject) == ("schema", f"migrations/env.py:{line(env, text)}")
    comment = changed(SYNC, f"        {STATEMENT}", f"        'CREATE SCHEMA is for the stack'\n        {STATEMENT}")
    assert made(tmp_path).kinds(comment) == []


def test_what_depends_on_a_path_that_is_not_written_out(tmp_path: Path) -> None:
    """Alembic's cookbook, for a schema that the command line names."""
    tenant = (
        "connection.execute(text('set search_path to \"%s\"' % context.get_x_argument(as_dictionary=True)['tenant']))"
    )
    env = (
        changed(SYNC, STATEMENT, tenant).replace("include_schemas=True,", "").replace("include_name=include_name,", "")
    )
    env = changed(env, "version_table_schema=SCHEMA,", "", 1)
    place, configured = line(env, "tenant"), line(env, "context.configure(", 1)
    found = [each for each in made(tmp_path).found(env) if each.check != "filter"]
    assert [(each.check, each.subject, each.actual) for each in found] == [
        (
            "not judged",
            f"migrations/env.py:{configured}",
            f"cannot be judged: it depends on the search_path of line {place}",
        ),
        ("not judged", f"migrations/env.py:{place}", "cannot be judged: the path is not written out"),
    ]
