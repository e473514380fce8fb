"""The four services of `examples/services`, as `alembic init` has written their env.py, on a real server."""

import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devtools.local.demo import EXTENSIONS, SERVICES, USERS
from devtools.server import HOST
from engarde.alembic import template
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.conftest import Projects
from tests.engine.database import NAME
from tests.engine.in_process import tool_here
from tests.engine.program import THE_ADMIN, Project
from tests.parts import sampled

pytestmark = pytest.mark.xdist_group("examples")

NAMES = ("langflow", "madansara", "onside", "sankore")
HEAD = "0002"
NOTHING_NEW = "No new upgrade operations detected."
ODD = "Ödd :name x%y {z} $a it's"
FIRST = """
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE things (id int)")


def downgrade():
    op.drop_table("things")
"""
FAILING = """
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("CREATE TABLE half (id int)")
    op.execute("SELECT 1/0")
"""
LOCKING = FAILING.replace('"CREATE TABLE half (id int)"', '"SELECT 1"').replace(
    '"SELECT 1/0"', '"ALTER TABLE campaigns ADD COLUMN word text"'
)


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    command = [sys.executable, "-m", "alembic"]
    services: dict[str, Any] = {
        name: {"migrations": {"path": f"examples/services/{name}", "command": command}} for name in NAMES
    }
    services["madansara"]["reads"] = ["public.users"]
    services["odd"] = {"schema": ODD, "role": 'odd "role" it\'s :x'}
    extensions: dict[str, Any] = {name: {} for name in EXTENSIONS}
    existing = {"public": {"service": "production-backend", "creators": [THE_ADMIN, BACKEND]}}
    with projects(services=services, extensions=extensions, existingSchemas=existing, analytics={}) as project:
        shutil.copytree(SERVICES, project.folder / "examples/services", ignore=shutil.ignore_patterns("__pycache__"))
        project.database.run(USERS)
        project.succeeds(project.up())
        yield project


def at_head(stack: Project, *names: str) -> None:
    """Brings services there by Alembic itself."""
    for name in names:
        alembic(stack, name, "upgrade", "head")


def url(stack: Project, who: str = "", **parts: str) -> str:
    """That of a service in no particular form, or with another role in it."""
    role = parts.get("role", f"{who}_user")
    password = parts.get("password") or stack.outputs()["passwords"][role]
    return f"postgresql://{role}:{password}@{HOST}:{parts.get('port', stack.database.server.port)}/{NAME}"


def start(
    stack: Project, service: str, *words: str, given: str | None = None, folder: Path | None = None
) -> "subprocess.Popen[str]":
    """Alembic by itself, as a service runs it where it is deployed: nothing of the tool is there."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", *words],
        cwd=folder or stack.folder / "examples/services" / service,
        env=environment | ({} if given == "" else {"DATABASE_URL": given or url(stack, service)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(stack: Project, process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate(timeout=120)
    assert not [secret for secret in stack.passwords if secret in said]
    return process.returncode, said


def alembic(stack: Project, service: str, *words: str) -> str:
    code, said = ended(stack, start(stack, service, *words))
    assert code == 0, said
    return said


def refused(stack: Project, service: str, given: str, folder: Path | None = None) -> str:
    """What it says in place of an upgrade."""
    before = held(stack)
    code, said = ended(stack, start(stack, service, "upgrade", "head", given=given, folder=folder))
    assert code != 0, said
    assert "Traceback" not in said
    assert held(stack) == before
    return said.strip().splitlines()[-1]


def held(stack: Project) -> list[tuple[Any, ...]]:
    """All tables and their owners."""
    return stack.database.rows("SELECT schemaname, tablename, tableowner FROM pg_tables ORDER BY 1, 2")


def revision(stack: Project, service: str) -> list[str]:
    return [row[0] for row in stack.database.rows(f"SELECT version_num FROM {service}.alembic_version")]


def test_all_of_them_by_the_tool_and_the_isolation_stands(stack: Project) -> None:
    done = stack.tool("migrate", "--all", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: revision(stack, name) for name in NAMES} == {name: [HEAD] for name in NAMES}
    tables = [row for row in held(stack) if row[0] in NAMES]
    assert {owner for schema, _, owner in tables if owner != f"{schema}_user"} == set()
    assert stack.database.value("SELECT count(*) FROM madansara.owners") == 3
    with stack.connect("analytics") as session:
        for schema, table, _ in tables:
            session.execute(f'SELECT count(*) FROM {schema}."{table}"'.encode())
    verified = tool_here(stack, "verify")
    assert verified.returncode == 0, verified.stdout


@only_superuser
@pytest.mark.parametrize("name", sampled(NAMES, "langflow", "onside"))
def test_autogenerate_sees_no_change_and_down_leaves_nothing(stack: Project, name: str) -> None:
    at_head(stack, name)
    said = alembic(stack, name, "check")
    assert NOTHING_NEW in said
    others = {*NAMES, "public", "users", "brands"} - {name}
    assert not [each for each in others if each in said], said
    assert "Warning" not in said
    alembic(stack, name, "downgrade", "base")
    left = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind <> 'i'"
    assert stack.database.rows(left, name) == [("alembic_version",)]
    types = "SELECT typname FROM pg_type WHERE typnamespace = %s::regnamespace AND typname !~ 'alembic_version'"
    assert stack.database.rows(types, name) == []
    at_head(stack, name)
    assert NOTHING_NEW in alembic(stack, name, "check")


@only_superuser
@pytest.mark.parametrize("name", sampled(["madansara", "onside", "sankore"], "onside"))
def test_two_at_once(stack: Project, name: str) -> None:
    """One of onside's migrations is no transaction, and makes an index concurrently; another role takes their locks."""
    alembic(stack, name, "downgrade", "base")
    there = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    with stack.connect("langflow") as hostile, stack.connect(name) as session, session.transaction():
        hostile.execute("SELECT pg_advisory_lock(%s, n) FROM generate_series(1, 500) n", [turn(name)])
        # Where a service is can be read by nobody until both are there, so that neither is done before the other.
        session.execute("LOCK alembic_version")
        both = [start(stack, name, "upgrade", "head") for _ in range(2)]
        while stack.database.value(there, f"{name}_user") < 3:
            assert [each.poll() for each in both] == [None, None]
            time.sleep(0.05)
        time.sleep(1)
    done = [ended(stack, each) for each in both]
    assert [code for code, _ in done] == [0, 0], done
    assert sorted(said.count("Running upgrade") for _, said in done) == [0, 2]
    assert revision(stack, name) == [HEAD]


def turn(service: str) -> int:
    """By what the advisory locks of those that migrate it are known."""
    return zlib.crc32(f"alembic {service}".encode()) >> 1


@only_superuser
@pytest.mark.parametrize("name", sampled(["madansara", "onside", "sankore"], "madansara"))
def test_one_waits_for_the_other(stack: Project, name: str) -> None:
    at_head(stack, name)
    with stack.connect(name) as session:
        session.execute("SELECT pg_advisory_lock(%s, 7)", [turn(name)])
        waiting = start(stack, name, "upgrade", "head")
        assert waiting.stdout
        told = waiting.stdout.readline()
        assert f"Waiting for process {session.info.backend_pid} of {name}_user, which migrates {name}" in told
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2)
    code, said = ended(stack, waiting)
    assert (code, "Waiting" in said) == (0, False), said


@only_superuser
def test_locks_of_other_roles_do_not_count(stack: Project) -> None:
    at_head(stack, "madansara")
    with stack.connect("sankore") as session, stack.database.session() as admin:
        for each in (session, admin):
            each.execute("SELECT pg_advisory_lock_shared(%s, n) FROM generate_series(1, 500) n", [turn("madansara")])
        session.execute("SELECT pg_advisory_lock(hashtextextended('alembic madansara', 0))")
        code, said = ended(stack, start(stack, "madansara", "upgrade", "head"))
    assert code == 0, said
    assert "Waiting" not in said


@only_superuser
@pytest.mark.parametrize("name", sampled(["madansara", "onside"], "onside"))
def test_it_does_not_wait_for_ever(stack: Project, tmp_path: Path, name: str) -> None:
    """And what it advises lets the next one in."""
    at_head(stack, name)
    folder = copied(stack, tmp_path, name, FAILING, **{"PATIENCE = 600": "PATIENCE = 2"})
    with stack.connect(name) as session, stack.connect(name) as own:
        session.execute("SELECT pg_advisory_lock(%s, 7)", [turn(name)])
        before = held(stack)
        code, said = ended(stack, start(stack, name, "upgrade", "head", folder=folder))
        assert (code != 0, held(stack) == before, "Traceback" in said) == (True, True, False)
        assert "did not end within 2 seconds. Nothing was changed." in said
        own.execute(said.strip().rpartition(": ")[2].encode())
        assert "division by zero" in ended(stack, start(stack, name, "upgrade", "head", folder=folder))[1]


def copied(stack: Project, tmp_path: Path, service: str, migration: str, **changed: str) -> Path:
    """A service's project with one more migration, and another env.py."""
    folder = shutil.copytree(stack.folder / "examples/services" / service, tmp_path / service)
    (folder / "migrations/versions/0003_more.py").write_text(migration)
    env = (folder / "migrations/env.py").read_text()
    for old, new in changed.items():
        assert old in env
        env = env.replace(old, new)
    (folder / "migrations/env.py").write_text(env)
    return folder


@only_superuser
@pytest.mark.parametrize("name", sampled(["madansara", "sankore"], "sankore"))
def test_a_migration_that_fails_leaves_the_revision(stack: Project, tmp_path: Path, name: str) -> None:
    at_head(stack, name)
    folder = copied(stack, tmp_path, name, FAILING)
    before = held(stack)
    code, said = ended(stack, start(stack, name, "upgrade", "head", folder=folder))
    assert code != 0
    assert "division by zero" in said
    assert held(stack) == before
    assert revision(stack, name) == [HEAD]


@only_superuser
def test_it_does_not_wait_long_for_a_table_in_use(stack: Project, tmp_path: Path) -> None:
    at_head(stack, "madansara")
    folder = copied(stack, tmp_path, "madansara", LOCKING, **{'LOCK_TIMEOUT = "10s"': 'LOCK_TIMEOUT = "100ms"'})
    with stack.connect("madansara") as session, session.transaction():
        session.execute("SELECT FROM campaigns")
        code, said = ended(stack, start(stack, "madansara", "upgrade", "head", folder=folder))
    assert code != 0
    assert "canceling statement due to lock timeout" in said
    assert revision(stack, "madansara") == [HEAD]


@only_superuser
def test_urls_of_others(stack: Project) -> None:
    others = url(stack, "onside")
    expected = "DATABASE_URL logs in as onside_user, but these are the migrations of madansara_user"
    assert expected in refused(stack, "madansara", others)
    assert "logs in as onside_user" in refused(stack, "sankore", others)
    admin = url(stack, role=stack.database.admin.user, password=_admins(stack))
    assert "these are the migrations of madansara_user" in refused(stack, "madansara", admin)
    assert "DATABASE_URL is not set" in refused(stack, "madansara", "")
    assert "is not the URL of a database" in refused(stack, "madansara", f"not a url {_admins(stack)}")


def _admins(stack: Project) -> str:
    done = stack.tool("url", "admin")
    return psycopg.conninfo.conninfo_to_dict(done.stdout.strip())["password"]  # type: ignore[return-value]


@only_superuser
def test_a_schema_that_is_missing(stack: Project) -> None:
    stack.database.run("ALTER SCHEMA sankore RENAME TO away")
    try:
        said = refused(stack, "sankore", url(stack, "sankore"))
    finally:
        stack.database.run("ALTER SCHEMA away RENAME TO sankore")
    assert "sankore_user would make its tables in public: sankore does not exist" in said


@only_superuser
def test_a_search_path_that_begins_elsewhere(stack: Project) -> None:
    given = url(stack, "onside") + "?options=-csearch_path%3Dpublic"
    assert "onside_user would make its tables in public" in refused(stack, "onside", given)


@only_superuser
@pytest.mark.parametrize("name", sampled(NAMES, "madansara", "onside"))
def test_a_script_for_somebody_else_to_run(stack: Project, tmp_path: Path, name: str) -> None:
    script = tmp_path / "script.sql"
    lines = alembic(stack, name, "upgrade", "head", "--sql").splitlines()
    script.write_text("\n".join(line for line in lines if not line.startswith("INFO ")))
    at_head(stack, name)
    alembic(stack, name, "downgrade", "base")
    stack.database.run(f"DROP TABLE {name}.alembic_version")
    run = ("--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", str(script))
    others = stack.tool("psql", "admin", *run)
    assert others.returncode != 0
    assert "run this script as the role of the service, not as " in others.stderr
    own = stack.tool("psql", name, *run)
    assert own.returncode == 0, own.stderr
    assert NOTHING_NEW in alembic(stack, name, "check")


@only_superuser
@pytest.mark.parametrize("driver", sampled(["psycopg", "psycopg2", "asyncpg"], "asyncpg"))
def test_a_new_project_of_a_service_with_an_odd_name(stack: Project, tmp_path: Path, driver: str) -> None:
    words = ("alembic", "init", "odd", str(tmp_path), "--driver", driver)
    assert stack.tool(*words, "--yes").returncode == 0
    assert stack.tool("alembic", "check", "odd", str(tmp_path)).returncode == 0
    (tmp_path / "migrations/versions").mkdir()
    (tmp_path / "migrations/versions/first.py").write_text(FIRST)
    given = stack.tool("url", "odd").stdout.strip()
    for step in (["upgrade", "head"], ["downgrade", "base"], ["upgrade", "head", "--sql"]):
        code, said = ended(stack, start(stack, "odd", *step, given=given, folder=tmp_path))
        assert code == 0, said
        things = stack.database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'things'")
        assert things == ([(ODD,)] if step == ["upgrade", "head"] else [])
    # What Alembic prints is what psql runs.
    (tmp_path / "script.sql").write_text("\n".join(each for each in said.splitlines() if each[:5] != "INFO "))
    stack.database.run(f'DROP TABLE "{ODD}".alembic_version')
    done = stack.tool("psql", "odd", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "script.sql"))
    assert done.returncode == 0, done.stderr
    assert stack.database.value("SELECT schemaname FROM pg_tables WHERE tablename = 'things'") == ODD
    stack.database.run(f'DROP TABLE "{ODD}".things, "{ODD}".alembic_version')


def test_what_stands_in_the_examples_is_what_init_writes(stack: Project) -> None:
    for name in NAMES:
        env = (SERVICES / name / "migrations/env.py").read_text()
        assert template.is_untouched(env)
        done = stack.tool("alembic", "init", name, f"examples/services/{name}")
        assert (done.returncode, done.stdout) == (0, "")
        checked = stack.tool("alembic", "check", name, f"examples/services/{name}")
        assert checked.returncode == 0, checked.stdout
    verified = tool_here(stack, "verify")
    assert verified.returncode == 0, verified.stdout
