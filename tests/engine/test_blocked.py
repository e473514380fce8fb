"""A session that keeps Pulumi waiting is named within seconds with the statement that ends it, and a login that is
somebody else's is taken away before it gets a new password."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from engarde.errors import Unfinished
from tests.conftest import Projects
from tests.engine.admins import only_superuser
from tests.engine.program import Project, conninfo
from tests.engine.rotating import counters, remember, rotate, rotated, strangers
from tests.engine.stopping import KILL, stopped
from tests.parts import sampled

pytestmark = [only_superuser, pytest.mark.xdist_group("blocked")]

LIMITS = {"PGOPTIONS": "-c lock_timeout=15s"}
OPEN = "ALTER ROLE sankore_user PASSWORD 'TakenOverInTests\x1b[31m'"
ALL_ADVISORY_LOCKS = """
    SELECT pg_advisory_lock(oid::bigint) FROM pg_roles UNION ALL SELECT pg_advisory_lock(oid::bigint) FROM pg_database
"""


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services={"madansara": None, "sankore": None}, analytics={}) as project:
        project.succeeds(project.up())
        yield project


def joined(url: str, *statements: str) -> "psycopg.Connection[Any]":
    """A service's session that holds what these statements lock."""
    session = psycopg.connect(conninfo(url))
    session.execute("SET idle_in_transaction_session_timeout = 0")
    for statement in statements:
        session.execute(statement.encode())
    return session


@contextmanager
def in_the_way(project: Project, service: str, *statements: str) -> Iterator[int]:
    """Such a session, by its process."""
    with joined(project.outputs()["database_urls"][service], *statements) as session:
        yield session.info.backend_pid
        with suppress(psycopg.OperationalError):
            session.rollback()


def of_process(text: str, process: int) -> str:
    """The statement by which the admin ends it, as it was printed."""
    [found] = set(
        re.findall(rf"process {process}, .* the admin ends it with (SELECT pg_terminate_backend\(\d+\);)", text)
    )
    return str(found)


def test_a_rotation_names_who_is_in_its_way_and_ends(project: Project) -> None:
    before = counters(project)
    with in_the_way(project, "sankore", OPEN) as process:
        remember(project)
        done = project.tool("rotate", "sankore", **LIMITS)
        project.printed += done.stdout + done.stderr
        assert done.returncode == Unfinished.exit_code, done.stderr
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "TakenOver" not in done.stdout + done.stderr
        # While it waits, and where it ends.
        waiting, ended = done.stderr.split("engarde: ")
        assert f"sankore_user (process {process}, idle in transaction) keeps Pulumi waiting" in waiting
        assert waiting.index("keeps Pulumi waiting") < waiting.index("lock timeout")
        assert "`bin/engarde rotate sankore --end-sessions --stack local`" in ended
        project.database.run(of_process(ended, process))
        [again] = rotated(project, "sankore")["rotated"]
    assert (again["resumed"], again["rotationAfter"]) == (True, before["sankore"] + 1)


def test_up_names_who_is_in_its_way(project: Project) -> None:
    with project.connect("sankore") as session:
        session.execute("CREATE TABLE IF NOT EXISTS sankore.courses (id int)")
    before = {"madansara": counters(project)["madansara"], "sankore": counters(project)["sankore"]}
    services: dict[str, dict[str, Any]] = {name: {"rotation": counter} for name, counter in before.items()}
    services["madansara"] |= {"reads": ["sankore.courses"]}
    project.declare(services=services, analytics={})
    limited = replace(project, pgoptions="-c lock_timeout=15s")
    with in_the_way(project, "sankore", "GRANT USAGE ON SCHEMA sankore TO madansara_user") as process:
        done = limited.up()
        assert done.exit != 0
        assert "sankore_user (process" in done.output
        project.database.run(of_process(done.output, process))
        project.succeeds(project.up())


@contextmanager
def hostile(project: Project) -> Iterator[list[int]]:
    """Whoever has the service's login, comes again and again, and has every lock that it may; its processes."""
    url, over, known = project.outputs()["database_urls"]["sankore"], threading.Event(), list[int]()

    def again() -> None:
        while not over.is_set():
            with suppress(psycopg.Error), joined(url, ALL_ADVISORY_LOCKS, OPEN) as session:
                known.append(session.info.backend_pid)
                while not over.wait(0.1):
                    session.execute("SELECT 1")
            over.wait(0.05)

    threads = [threading.Thread(target=again) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        end = time.monotonic() + 30
        while not known:
            assert time.monotonic() < end
            over.wait(0.1)
        yield known
    finally:
        over.set()
        for thread in threads:
            thread.join()


SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'sankore_user'"


def test_a_compromised_login_is_taken_away(project: Project) -> None:
    before = counters(project)
    with hostile(project):
        remember(project)
        report = rotated(project, "sankore", "--end-sessions", "--yes")
        assert [each["rotationAfter"] for each in report["rotated"]] == [before["sankore"] + 1]
        assert project.database.value(SESSIONS) == 0
    assert strangers(project) == set()
    project.connect("sankore").close()


@pytest.mark.parametrize(
    "step",
    sampled(
        [
            ("checks.journals", "shut_login", "after"),
            ("rotate.lockout", "_shut_out", "after"),
            ("rotate.rotate_login", "up", "before"),
            ("rotate.rotate_login", "up", "after"),
        ],
        ("rotate.lockout", "_shut_out", "after"),
    ),
    ids="-".join,
)
def test_killed_after_it_was_shut_out(project: Project, step: tuple[str, str, str]) -> None:
    before = counters(project)
    remember(project)
    # Also where an earlier run had come past `up`: there the new password is in force already.
    for _ in range(2):
        killed = stopped(project, step, KILL, "rotate", "sankore", "--end-sessions", "--yes")
        project.printed += killed.stdout + killed.stderr
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    rotated(project, "sankore")
    assert counters(project) == {**before, "sankore": before["sankore"] + 1}
    assert strangers(project) == set()
    project.connect("sankore").close()


def test_it_asks_before(project: Project) -> None:
    before = counters(project)
    with in_the_way(project, "sankore", "SELECT 1"):
        planned = rotate(project, "sankore", "--end-sessions", "--dry-run")
        asked = rotate(project, "sankore", "--end-sessions")
        assert project.database.value(SESSIONS) == 1
    assert planned.returncode == 0
    assert "It would be locked out first, and its sessions ended" in " ".join(planned.stdout.split())
    assert asked.returncode == 2
    assert "all of its sessions are ended" in asked.stderr
    assert counters(project) == before
