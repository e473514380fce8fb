"""`alembic check --run`: what is computed is judged by running env.py, which sees no secret and reaches no database."""

import json
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engarde import cli
from engarde.alembic import template
from engarde.declaration.loader import parse
from tests.unit.alembic_found import MAKES
from tests.unit.alembic_projects import ASYNC, BOTH, MODELS, NOT_RUN, SYNC, alembic, changed, line, made
from tests.unit.test_alembic_check_paths import SHOWN, STATEMENT

COMPUTED = changed(SYNC, 'SCHEMA = "madansara"', "SCHEMA = '-'.join(['madansara'])")
SEEN = "import app.more\n\nSCHEMA = "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made(tmp_path / "madansara").write("migrations/env.py", COMPUTED)
    return tmp_path / "madansara"


def check(monkeypatch: pytest.MonkeyPatch, project: Path, *words: str, command: Sequence[str] = ()) -> Result:
    """Calls the command for the project, in which it changes nothing."""
    folder = project.parent
    migrations = {"path": "madansara", "command": [*command] or alembic(), "environment": ["MODE"]}
    config = {
        "engarde:server": {"host": "db.example.com", "database": "railway"},
        "engarde:services": {"madansara": {"migrations": migrations}},
        "engarde:adminPassword": {"secure": "v1:of-a-test"},
    }
    (folder / "Pulumi.prod.yaml").write_text(json.dumps({"config": config}))
    monkeypatch.setattr("engarde.cli.alembic.FOLDER", folder)
    before = texts(project)
    where = ["madansara", str(project), "--stack", "prod"]
    done = CliRunner().invoke(cli.main, ["alembic", "check", *where, *words])
    assert texts(project) == before
    return done


def texts(project: Path) -> dict[Path, str]:
    return {file: file.read_text() for file in project.rglob("*") if file.is_file() and file.suffix != ".pyc"}


def actual(done: Result) -> list[str]:
    """What is found, each with its line."""
    assert done.exit_code == 1, done.output
    return [f"{load['check']} {load['subject']} {load['actual']}" for load in json.loads(done.stdout)["findings"]]


def with_more(project: Path, text: str) -> None:
    """Has env.py import a module of this text."""
    (project / "app/more.py").write_text(text)
    (project / "migrations/env.py").write_text(changed(COMPUTED, "SCHEMA = ", SEEN))


def test_what_is_not_judged_is_no_success(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """It ends with 1, and names the line, what was not judged, and both remedies; once it is run it ends with 0."""
    done = check(monkeypatch, project)
    assert done.exit_code == 1
    where = f"madansara {project} --stack prod"
    number = line(COMPUTED, "version_table_schema=SCHEMA", 1)
    assert f"not judged: migrations/env.py:{number}\n" in done.stdout
    assert "cannot be judged: the schema is not written out in the project" in done.stdout
    assert f"bin/engarde alembic check {where} --run  # runs env.py, without a database\n" in done.stdout
    assert f"bin/engarde alembic init {where}  # writes an env.py that can be judged\n" in done.stdout
    done = check(monkeypatch, project, "--run")
    assert (done.exit_code, done.stdout) == (0, "no findings in the Alembic project of madansara\n")


def test_what_is_wrong_is_found_at_its_line(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    env = COMPUTED.replace("['madansara']", "['san', 'kore']")
    (project / "migrations/env.py").write_text(env)
    offline, online = (line(env, "version_table_schema=SCHEMA", which) for which in (0, 1))
    assert {
        f"version table migrations/env.py:{offline} version_table_schema='san-kore'",
        f"version table migrations/env.py:{online} version_table_schema='san-kore'",
        f"search_path migrations/env.py:{line(env, 'SET search_path', 1)} search_path: san-kore",
    } <= {*actual(check(monkeypatch, project, "--run", "--output", "json"))}


def test_what_the_code_sees(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "RAILWAY_TOKEN", "PGPASSWORD", "SECRET"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:hunter2@db/d")
    monkeypatch.setenv("MODE", "migrations")
    with_more(
        project, "import os\n\nraise RuntimeError(sorted(os.environ), os.environ['DATABASE_URL'], os.environ['MODE'])\n"
    )
    done = check(monkeypatch, project, "--run", "--output", "json")
    failed = next(text for text in actual(done) if "RuntimeError" in text)
    assert failed.startswith(
        f"not judged migrations/env.py:{line(COMPUTED, 'SCHEMA = ')} cannot be judged: app/more.py, line 3: "
    )
    assert not any(name in done.output for name in ("PULUMI", "RAILWAY", "PGPASSWORD", "SECRET", "hunter2"))
    assert "postgresql://madansara_user:***@no-database.invalid:5432/none', 'migrations'" in failed


@pytest.mark.parametrize("connects", ["create_engine({url!r}).connect()", "create_engine({url!r}).raw_connection()"])
def test_it_reaches_no_database(monkeypatch: pytest.MonkeyPatch, project: Path, connects: str) -> None:
    """Neither where the code has the address of one written out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql+psycopg://a:b@127.0.0.1:{server.getsockname()[1]}/d"
        with_more(project, f"from sqlalchemy import create_engine\n\n{connects.format(url=url)}\n")
        assert check(monkeypatch, project, "--run").exit_code == 0
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_no_migration_is_run(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    revision = project / "migrations/versions/a1.py"
    revision.write_text(revision.read_text() + "    open('ran', 'w')\n")
    assert check(monkeypatch, project, "--run").exit_code == 0
    assert not (project / "ran").exists()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_what_init_writes_is_right_by_its_text_and_once_it_is_run(tmp_path: Path, driver: template.Driver) -> None:
    project = made(tmp_path)
    stack = parse("prod", {"server": {"host": "h", "database": "d"}, "services": {"madansara": {}}}, {"adminPassword"})
    yours = "from app.models import Base\n\ntarget_metadata = Base.metadata\noptions = {'compare_type': True}"
    env = template.env(stack.services[0], driver, yours)
    assert project.kinds(env) == []
    assert project.kinds(env, run=True) == []


def test_one_that_fails(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """What its text tells is found all the same, and that it fails is said where; `--run` is no remedy of it."""
    env = changed(COMPUTED, "        connection.commit()\n", "        connection.commit()\n        load(1)\n")
    env = changed(env, "version_table_schema=SCHEMA,", "", 0)
    (project / "migrations/env.py").write_text(env)
    done = check(monkeypatch, project, "--run", "--output", "json")
    place, offline = line(env, "load(1)"), line(env, "context.configure(")
    assert (
        f"not judged migrations/env.py:{place} cannot be judged: migrations/env.py, line {place}: load(1): NameError"
        in ("\n".join(actual(done)))
    )
    assert any(text.startswith(f"version table migrations/env.py:{offline} none") for text in actual(done))
    remedies = [load["remedy"]["text"] for load in json.loads(done.stdout)["findings"] if load["check"] == "not judged"]
    assert all("alembic init" in text and "--run" not in text for text in remedies)


def test_one_that_fails_offline_alone(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    env = changed(COMPUTED, "def run_migrations_offline():\n", "def run_migrations_offline():\n    load(1)\n")
    (project / "migrations/env.py").write_text(env)
    found = actual(check(monkeypatch, project, "--run", "--output", "json"))
    assert {text.split(":")[1].split()[0] for text in found} == {
        str(line(env, "load(1)")),
        str(line(env, "version_table_schema=SCHEMA")),
        str(line(env, "SET search_path")),
    }


def test_no_end(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("ENGARDE_TIMEOUTS", "alembic=2")
    with_more(project, "import time\n\ntime.sleep(60)\n")
    start = time.monotonic()
    done = check(monkeypatch, project, "--run")
    assert time.monotonic() - start < 25
    assert (done.exit_code, done.stdout) == (2, "")
    assert "env.py did not end within 2 seconds" in done.stderr


@pytest.mark.parametrize(("command", "said"), NOT_RUN)
def test_an_interpreter_that_cannot_be_found(
    monkeypatch: pytest.MonkeyPatch, project: Path, command: list[str], said: str
) -> None:
    done = check(monkeypatch, project, "--run", command=command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "env.py could not be run with the service's own Alembic: " in done.stderr and said in done.stderr
    assert "State its command in the stack file (`migrations: {path: " in done.stderr
    assert check(monkeypatch, project, command=command).exit_code == 1


@pytest.mark.parametrize("answer", ["'nothing'", "{}", "{'failed': None, 'engines': 1}", "[1]"])
def test_an_answer_of_the_services_own_making(monkeypatch: pytest.MonkeyPatch, project: Path, answer: str) -> None:
    with_more(
        project,
        "import json, os, sys\n\nframe = sys._getframe()\n"
        "while 'told' not in frame.f_globals:\n    frame = frame.f_back\n"
        f"print('\\n' + frame.f_globals['told']['token'] + json.dumps({answer}), flush=True)\nos._exit(0)\n",
    )
    done = check(monkeypatch, project, "--run")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "its report cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("statement", "actual"),
    [
        ("connection.execute(text('SET search_path TO ' + ', '.join([SCHEMA, 'public'])))", [SHOWN]),
        ("connection.execute(text(\"SELECT set_config('search_path', :path, false)\"), {'path': SCHEMA.lower()})", []),
        ("connection.exec_driver_sql('SET search_path TO \"%s\"' % SCHEMA.title())", ["search_path: Madansara"]),
        ("assert [*connection.execute(text('SELECT current_schema(), 1')).one()] == [SCHEMA, None]", [SHOWN]),
        ("assert connection.execute(text('SELECT * FROM things')).first() is None", [SHOWN]),
    ],
)
def test_the_search_path_of_statements(tmp_path: Path, statement: str, actual: list[str]) -> None:
    env = changed(COMPUTED, STATEMENT, statement)
    found = made(tmp_path).computed(env)
    assert [each.actual for each in found] == actual
    assert {each.subject for each in found} <= {
        f"migrations/env.py:{line(env, part, which)}" for part, which in ((statement, 0), ("context.configure(", 1))
    }


@pytest.mark.parametrize("env", [SYNC, ASYNC])
def test_the_search_path_of_a_driver(tmp_path: Path, env: str) -> None:
    told = '"server_settings": {"search_path": path()}' if env is ASYNC else '"options": "-c search_path=" + path()'
    env = env.replace(f"        {STATEMENT}\n        connection.commit()\n", "")
    env = env.replace('        connect_args={"server_settings": {"search_path": f\'"{SCHEMA}"\'}},\n', "")
    env = changed(env, "poolclass=pool.NullPool,", f"poolclass=pool.NullPool, connect_args={{{told}}},")
    right = changed(env, "SCHEMA = ", "def path():\n    return SCHEMA\n\n\nSCHEMA = ")
    assert made(tmp_path).computed(right) == ()
    wrong = changed(right, "return SCHEMA", "return 'sankore'")
    (finding,) = made(tmp_path).computed(wrong)
    assert (finding.check, finding.subject) == ("search_path", f"migrations/env.py:{line(wrong, 'path()', 1)}")


def test_the_search_path_of_a_listener(tmp_path: Path) -> None:
    listener = (
        '@event.listens_for(Engine, "connect")\ndef set_path(connection, record):\n    cursor = connection.cursor()\n'
        "    cursor.execute(f'SET search_path TO {\"-\".join([SCHEMA])}')\n    cursor.close()\n\n\n"
    )
    env = changed(SYNC, f"        {STATEMENT}\n        connection.commit()\n", "")
    env = changed(env, "def include_name", f"{listener}def include_name")
    env = changed(
        env, "from alembic", "from sqlalchemy import event\nfrom sqlalchemy.engine import Engine\nfrom alembic"
    )
    assert made(tmp_path).computed(env) == ()


@pytest.mark.parametrize("name", ["x%y", "it's"])
@pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)
def test_odd_schemas(tmp_path: Path, env: str, name: str) -> None:
    env = changed(env, 'SCHEMA = "madansara"', f"SCHEMA = ''.join([{name!r}])")
    assert made(tmp_path, {"schema": name}).computed(env) == ()


def test_a_statement_under_a_condition(tmp_path: Path) -> None:
    early = "        if config.get_main_option('mine', {}):\n            connection.execute(text('SELECT 1'))\n"
    env = changed(SYNC, "        connection.commit()\n", f"        connection.commit()\n{early}")
    assert (
        made(tmp_path).computed(env.format("'no'").replace("{}", "None") if False else env.replace("{}", "None")) == ()
    )
    (finding,) = made(tmp_path).computed(env.replace("{}", "'yes'"))
    assert (finding.check, finding.subject) == ("transaction", f"migrations/env.py:{line(env, 'SELECT 1')}")


def test_a_schema_that_is_made(tmp_path: Path) -> None:
    env = changed(
        MAKES, 'text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")', 'text(" ".join(["CREATE", "SCHEMA", SCHEMA]))'
    )
    found = made(tmp_path).found(env, run=True)
    assert [each.subject for each in found if each.check == "schema"] == [f"migrations/env.py:{line(env, 'CREATE')}"]


def test_models_with_a_schema_that_is_computed(tmp_path: Path) -> None:
    models = changed(MODELS, "MetaData()", "MetaData(schema=''.join(['madan', 'sara']))")
    models = models.replace('"things.id"', '"madansara.things.id"')
    project = made(tmp_path)
    project.write("app/models.py", models)
    (finding,) = project.computed(SYNC)
    assert (finding.check, finding.subject) == ("metadata schema", f"app/models.py:{line(models, 'schema=')}")
    project.write("app/models.py", changed(models, "''.join(['madan', 'sara'])", "[None][0]").replace("madansara.", ""))
    assert project.computed(SYNC) == ()


def test_a_filter_that_fails_is_not_judged(tmp_path: Path) -> None:
    env = changed(SYNC, "return name in (None, SCHEMA)", "return allowed[name]")
    assert [each.check for each in made(tmp_path).found(env, run=True)] == ["not judged"]


def test_what_configures_alembic_elsewhere(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.write("libs/env.py", SYNC)
    assert project.kinds("import libs.env\n") == ["not judged migrations/env.py:1"]
    assert project.kinds("import libs.env\n", run=True) == []
    project.write("libs/env.py", changed(SYNC, "version_table_schema=SCHEMA,", "", 1))
    assert project.kinds("import libs.env\n", run=True) == ["version table migrations/env.py:1"]
