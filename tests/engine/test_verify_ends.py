"""How verify ends where it is killed, cut off, or cannot ask: exit 3 where nothing was learnt, nothing left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Projects, Stacks
from tests.engine.program import Project
from tests.engine.stopping import interruptible
from tests.engine.verified_stack import proved
from tests.engine.verifying import LEFT, told, verified

pytestmark = pytest.mark.xdist_group("verify")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with proved(stacks) as project:
        yield project


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_whoever_ends_it_leaves_nothing(stack: Project, how: signal.Signals) -> None:
    running = started(stack)
    trying = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'engarde' AND usename <> current_user"
    end = time.monotonic() + 20
    with stack.database.session() as watching:
        # No probe waits for anything: one has to look often.
        while watching.execute(trying.encode()).fetchone() == (0,) and time.monotonic() < end:
            time.sleep(0.002)
    running.send_signal(how)
    said = running.communicate(timeout=60)[1]
    if how is signal.SIGINT:
        assert (running.returncode, said) == (130, "engarde: interrupted\n")
    end = time.monotonic() + 10
    while stack.database.value(trying) and time.monotonic() < end:
        time.sleep(0.05)
    assert stack.database.rows(LEFT) == [(0,)] * 3
    assert told(verified(stack)) == []


def started(stack: Project) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        stack.tool_command("verify"),
        cwd=stack.folder,
        env=stack._environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )


def test_an_admin_cut_off_in_the_middle_is_exit_3(stack: Project) -> None:
    with stack.database.session() as locking:
        locking.autocommit = False
        locking.execute("LOCK TABLE pg_catalog.pg_default_acl IN ACCESS EXCLUSIVE MODE")
        running = started(stack)
        asking = "SELECT pid FROM pg_stat_activity WHERE application_name = 'engarde' AND wait_event_type = 'Lock'"
        with stack.database.session() as cutting:
            end = time.monotonic() + 60
            while not (found := cutting.execute(asking.encode()).fetchall()) and time.monotonic() < end:
                assert running.poll() is None, running.communicate()
                time.sleep(0.02)
            cutting.execute("SELECT pg_terminate_backend(%s)", found[0])
        said = running.communicate(timeout=60)[1]
        locking.rollback()
    assert running.returncode == 3, said
    assert "Traceback" not in said
    assert stack.database.rows(LEFT) == [(0,)] * 3


def test_an_interrupt_before_anything_is_quiet(stack: Project) -> None:
    running = started(stack)
    time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode in (130, -signal.SIGINT)


def test_a_lost_server_is_exit_3(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        project.succeeds(project.up())
        project.declare(services={"a": None}, server={"port": 1})
        done = project.tool("verify")
        assert (done.returncode, done.stdout) == (3, "")
        assert "cannot connect to 127.0.0.1:1" in done.stderr


def test_a_stack_that_was_never_brought_up_is_exit_3(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        done = project.tool("verify")
        assert done.returncode == 3
        assert "bin/pulumi up --stack local" in done.stderr


def test_a_session_that_cannot_try_is_a_finding_and_no_traceback(projects: Projects) -> None:
    sections = {"services": {"a": {"idleInTransactionSessionTimeout": 1}, "b": None}}
    with projects(**sections) as project:
        project.succeeds(project.up())
        assert told(verified(project)) == []
        project.database.run("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
        done = project.tool("verify")
        assert done.returncode in (1, 3), done.stderr
        assert "permission denied for language plpgsql" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
