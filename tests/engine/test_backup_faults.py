"""kill -9, a lost connection, a full disk at every step: no half backup, no half restore, and the same again works."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from devtools.server import HOST
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.backups import SCHEMA, SERVICE, content, state, stopped, tool
from tests.engine.program import Project
from tests.engine.stopping import KILL

pytestmark = [pytest.mark.xdist_group("backup"), only_superuser]

KILL_PG_DUMP = "given[2]()"
LIMIT_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"
"""No file of the tool and of what it starts may become longer: to them a full disk."""

SESSIONS = "FROM pg_stat_activity WHERE application_name = 'engarde'"
BY_SUPERUSER = """
import psycopg, resource
with psycopg.connect({conninfo!r}, autocommit=True) as session:
    for (pid,) in session.execute("SELECT pid {sessions}").fetchall():
        {what}
"""
LOSE = "session.execute('SELECT pg_terminate_backend(%s)', [pid])"
FILL = f"""
        import os
        from devtools.server import server_user
        if not os.fork():
            if user := server_user():
                os.setgid(user["group"])
                os.setuid(user["user"])
            resource.prlimit(pid, resource.RLIMIT_FSIZE, ({20 << 20}, {20 << 20}))
            os._exit(0)
        assert os.wait()[1] == 0
"""
"""More than a file of the write-ahead log, which could only end the whole server."""

DUMPING = [
    ("backup", "dump", "before"),
    ("backup", "inspect", "after"),
    ("backup", "Session.waiting", "before"),
    ("backup", "_pg_dump", "after"),
    ("backup", "archive.write_large_objects", "after"),
    ("backup", "manifest.write", "before"),
    ("backup", "manifest.write", "after"),
    ("manifest", "_sync", "after"),
]
LOADING = [
    ("restore", "begin", "after"),
    ("restore", "clear", "after"),
    ("restore", "archive.opened", "after"),
    ("restore", "copy_in.rows", "after"),
    ("restore", "_set_sequences", "after"),
    ("restore", "archive.load_large_objects", "before"),
    ("restore", "archive.load_large_objects", "after"),
    ("restore", "inspect", "before"),
    ("restore", "load", "after"),
    ("restore", "Session.commit", "before"),
]


def restoring(folder: Path) -> tuple[str, ...]:
    return ("restore", SERVICE, "--from", str(folder), "--yes-replace-data")


def by_superuser(project: Project, what: str) -> str:
    address = f"host={HOST} port={project.database.server.port} user=postgres password={PASSWORD} dbname=postgres"
    return BY_SUPERUSER.format(conninfo=address, sessions=SESSIONS, what=what)


def data(project: Project) -> dict[str, Any]:
    with project.connect(SERVICE) as session:
        return content(session, SCHEMA)


def ended(project: Project) -> None:
    """A session whose program is gone has come to its end."""
    while project.database.value(f"SELECT count(*) {SESSIONS}"):
        time.sleep(0.02)


@pytest.fixture
def changed(there: Project, kept: Path) -> Project:
    """The service's data is another than the backup's."""
    with there.connect(SERVICE) as session:
        session.execute("CREATE TABLE newer (id int); DELETE FROM linked; SELECT lo_from_bytea(0, 'newer')")
        session.execute("UPDATE word SET upper = 'changed'; SELECT setval('tickets', 1000)")
    return there


def test_a_killed_backup(kept_stack: Project, tmp_path: Path) -> None:
    folder, partial = tmp_path / "x", tmp_path / "x.partial"
    for at in DUMPING:
        assert stopped(kept_stack, at, KILL, "backup", SERVICE, "--to", str(folder)).returncode < 0, at
        assert not folder.exists(), at
    said = tool(kept_stack, "restore", SERVICE, "--from", str(partial), code=2).stderr
    assert "is the rest of a backup that did not finish" in said
    ended(kept_stack)
    tool(kept_stack, "backup", SERVICE, "--to", str(folder))
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("at", "what", "code"),
    [
        (("backup", "_pg_dump", "before"), LOSE, 4),
        (("backup", "Session.waiting", "before"), LOSE, 4),
        (("backup", "_pg_dump", "after"), LOSE, 3),
        (("backup", "Session.waiting", "before"), KILL_PG_DUMP, 4),
        (("backup", "_pg_dump", "before"), LIMIT_FILES.format(4096), 4),
        (("backup", "archive.write_large_objects", "before"), LIMIT_FILES.format(1 << 20), 4),
        (("backup", "manifest.write", "before"), LIMIT_FILES.format(4096), 4),
    ],
)
def test_a_backup_that_fails(
    kept_stack: Project, tmp_path: Path, at: tuple[str, str, str], what: str, code: int
) -> None:
    done = by_superuser(kept_stack, what) if what == LOSE else what
    run = stopped(kept_stack, at, done, "backup", SERVICE, "--to", str(tmp_path / "x"))
    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
    assert not list(tmp_path.iterdir())


def test_a_killed_restore(changed: Project, kept: Path) -> None:
    before, whole = data(changed), state(changed)
    for at in LOADING:
        assert stopped(changed, at, KILL, *restoring(kept)).returncode < 0, at
        ended(changed)
        assert data(changed) == before, at
    assert state(changed) == whole


def test_a_restore_that_loses_its_connection(changed: Project, kept: Path) -> None:
    before, whole = data(changed), state(changed)
    for at in LOADING[1::2]:
        run = stopped(changed, at, by_superuser(changed, LOSE), *restoring(kept))
        assert run.returncode == 3, (at, run.stderr)
        assert "Traceback" not in run.stderr
        assert data(changed) == before, at
    assert state(changed) == whole


@pytest.mark.parametrize(("when", "code"), [("before", 3), ("after", 0)])
def test_an_end_that_is_not_heard_of(changed: Project, kept: Path, when: str, code: int) -> None:
    """The server is asked what became of the transaction."""
    before = state(changed)
    lost = "given[0]._connection.close(); real(*given)"
    run = stopped(changed, ("restore", "Session.commit", when), lost, *restoring(kept))
    assert run.returncode == code, run.stderr
    assert (state(changed) == before) == (code == 3)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of another process can be set on Linux alone")
def test_a_server_whose_disk_is_full(changed: Project, tmp_path: Path) -> None:
    with changed.connect(SERVICE) as session:
        session.execute("CREATE TABLE large AS SELECT n, repeat('x', 100) FROM generate_series(1, 200000) n")
    tool(changed, "backup", SERVICE, "--to", str(tmp_path / "large"))
    with changed.connect(SERVICE) as session:
        session.execute("DROP TABLE large")
    before = state(changed)
    command = restoring(tmp_path / "large")
    full = by_superuser(changed, FILL)
    run = stopped(changed, ("restore", "clear", "before"), full, *command)
    assert run.returncode == 4, run.stderr
    assert ".large" in run.stderr
    assert "File too large" in run.stderr
    assert state(changed) == before
    tool(changed, *command)
    with changed.connect(SERVICE) as session:
        assert session.execute("SELECT count(*) FROM large").fetchone() == (200_000,)


def test_a_service_that_holds_its_tables(changed: Project, kept: Path) -> None:
    """It is not kept waiting for ever, nor is the restore."""
    with changed.connect(SERVICE) as session, session.transaction():
        session.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SELECT * FROM word LIMIT 1")
        run = tool(changed, *restoring(kept), code=4)
    assert "55P03" in run.stderr
    assert "stop the service" in run.stderr
