"""How the engine is used: what an asynchronous one needs, and in whose transaction the migrations run."""

from pathlib import Path

import pytest

from engarde.output.findings import Remedy
from tests.unit.alembic_found import FLAT
from tests.unit.alembic_projects import ASYNC, SYNC, changed, line, made

EARLY = "        connection.execute(text(f'SET search_path TO \"{SCHEMA}\"'))\n        connection.commit()\n"
TOLD = "it begins a transaction that the migrations join and that nobody commits: all is rolled back"


@pytest.mark.parametrize(
    ("old", "new", "expected", "part"),
    [
        (
            "await connection.run_sync(do_run_migrations)",
            "do_run_migrations(connection)",
            "await connection.run_sync(...)",
            "= async_engine_from_config",
        ),
        ("async with connectable", "with connectable", "async with", "with connectable"),
        (
            "asyncio.run(run_async_migrations())",
            "run_async_migrations()",
            "asyncio.run(...)",
            "async def run_async_migrations",
        ),
    ],
)
def test_an_asynchronous_engine_that_is_used_as_no_such(
    tmp_path: Path, old: str, new: str, expected: str, part: str
) -> None:
    env = changed(ASYNC, old, new)
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.expected) == ("async", expected)
    assert finding.subject == f"migrations/env.py:{line(env, part)}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("asyncio.run(run_async_migrations())", "asyncio.get_event_loop().run_until_complete(run_async_migrations())"),
        ("asyncio.run(run_async_migrations())", "anyio.run(run_async_migrations)"),
        ("async with connectable.connect() as connection", "async with connectable.begin() as connection"),
        ("connection.run_sync(do_run_migrations)", "connection.run_sync(lambda sync: do_run_migrations(sync))"),
    ],
)
def test_asynchronous_engines_that_are_right(tmp_path: Path, old: str, new: str) -> None:
    env = changed(ASYNC, old, new)
    assert made(tmp_path).kinds(env) == []


@pytest.mark.parametrize(
    "early",
    [
        "connection.execute(text(f'SET search_path TO \"{SCHEMA}\"'))",
        "connection.exec_driver_sql(f'SET search_path TO \"{SCHEMA}\"')",
        "assert connection.scalar(text('SELECT current_schema()')) == SCHEMA",
    ],
)
def test_a_statement_that_nobody_commits(tmp_path: Path, early: str) -> None:
    env = changed(SYNC, EARLY, f"{EARLY}        {early}\n")
    (finding,) = made(tmp_path).found(env)
    number = line(env, early, -1)
    assert (finding.check, finding.subject, finding.actual) == ("transaction", f"migrations/env.py:{number}", TOLD)
    assert (
        made(tmp_path).kinds(
            changed(env, f"{early}\n", f"{early}\n        connection.commit()\n", -1 + env.count(early))
        )
        == []
    )


@pytest.mark.parametrize(
    "early",
    [
        "with connection.begin():\n            connection.execute(text('SELECT 1'))",
        "connection = connection.execution_options(isolation_level='AUTOCOMMIT')\n"
        "        connection.execute(text('SELECT 1'))",
        "cursor = connection.connection.cursor()\n        cursor.execute('SELECT 1')",
    ],
)
def test_statements_that_begin_nothing(tmp_path: Path, early: str) -> None:
    assert made(tmp_path).kinds(changed(SYNC, EARLY, f"{EARLY}        {early}\n")) == []


def test_a_statement_of_a_function_that_is_called_before(tmp_path: Path) -> None:
    helper = "def prepare(connection):\n    connection.execute(text('SELECT 1'))\n"
    env = changed(SYNC, "def run_migrations_online", f"{helper}\n\ndef run_migrations_online")
    env = changed(env, EARLY, f"{EARLY}        prepare(connection)\n")
    assert made(tmp_path).kinds(env) == [f"not judged migrations/env.py:{line(env, '        prepare(connection)')}"]
    (finding,) = made(tmp_path).computed(env)
    assert (finding.check, finding.subject) == ("transaction", f"migrations/env.py:{line(env, 'SELECT 1')}")
    after = changed(env, place := "        prepare(connection)\n", f"{place}        connection.commit()\n")
    assert made(tmp_path).kinds(after) == []
    inside = changed(env, place := "('SELECT 1'))\n", f"{place}    connection.commit()\n")
    assert made(tmp_path).computed(inside) == ()


def test_a_statement_of_no_function(tmp_path: Path) -> None:
    env = FLAT.replace("engine.begin()", "engine.connect()")
    found = [each for each in made(tmp_path).found(env) if each.check == "transaction"]
    assert [each.subject for each in found] == [f"migrations/env.py:{line(env, 'SET search_path')}"]


def test_a_statement_that_is_awaited(tmp_path: Path) -> None:
    early = "await connection.execute(text('SELECT 1'))"
    env = changed(ASYNC, "        await connection.run", f"        {early}\n        await connection.run")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.subject) == ("transaction", f"migrations/env.py:{line(env, early)}")
    assert finding.remedy == Remedy("code", "await connection.commit()  # right after this statement")
    commit = finding.remedy.text.partition("  #")[0]
    assert made(tmp_path).kinds(changed(env, f"{early}\n", f"{early}\n        {commit}\n")) == []


def test_a_connection_whose_transaction_ends_by_itself(tmp_path: Path) -> None:
    env = changed(SYNC, "connectable.connect()", "connectable.begin()")
    assert made(tmp_path).kinds(changed(env, "        connection.commit()\n", "")) == []


def test_statements_of_the_migrations_own_transaction(tmp_path: Path) -> None:
    early = "            connection.execute(text('SELECT 1'))\n"
    env = changed(SYNC, "context.begin_transaction():\n", f"context.begin_transaction():\n{early}", 1)
    assert made(tmp_path).kinds(env) == []


def test_an_asynchronous_engine_around_another(tmp_path: Path) -> None:
    start, end = ASYNC.index("    connectable = async"), ASYNC.index("    async with")
    engine = "    connectable = AsyncEngine(create_engine(config.get_main_option('sqlalchemy.url')))\n"
    env = f"{ASYNC[:start]}{engine}{ASYNC[end:]}"
    assert [each.check for each in made(tmp_path).found(env)] == ["search_path"]


@pytest.mark.parametrize(
    "early",
    [
        "connection.execute(text(\"SET LOCAL app.bypass = 'on'\"))",
        "connection.execute(text(f'SELECT pg_advisory_xact_lock({7})'))",
        "connection.exec_driver_sql(\"SELECT set_config('app.bypass', 'on', true)\")",
    ],
)
def test_what_a_commit_would_end(tmp_path: Path, early: str) -> None:
    env = changed(SYNC, EARLY, f"{EARLY}        {early}\n")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.expected) == (
        "transaction",
        "inside the migrations' own transaction, because its effect ends with its transaction",
    )
    assert finding.remedy.text.startswith("with context.begin_transaction():\n")
    begin = "        with context.begin_transaction():\n"
    env = changed(SYNC, begin, f"{begin}            {early}\n")
    assert made(tmp_path).kinds(env) == []


def test_a_statement_under_a_condition(tmp_path: Path) -> None:
    early = "        if config.get_main_option('mine'):\n            connection.execute(text('SELECT 1'))\n"
    env = changed(SYNC, EARLY, f"{EARLY}{early}")
    (finding,) = made(tmp_path).found(env)
    assert (finding.check, finding.subject) == ("not judged", f"migrations/env.py:{line(env, 'SELECT 1')}")
