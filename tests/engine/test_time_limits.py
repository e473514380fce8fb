"""Every command ends in time, with the exit code that is documented, whatever does not answer it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from engarde.timeouts import VARIABLE
from tests.conftest import Projects
from tests.engine import backups
from tests.engine.admins import only_superuser
from tests.engine.migrated import declared, write
from tests.engine.program import Project, conninfo
from tests.parts import sampled
from tests.proxies import Mode, Proxy, proxy

pytestmark = [only_superuser, pytest.mark.xdist_group("time-limits")]

LIMITS = ",".join(
    [
        "connect=2,silence=1,answer=1,look.statement=10,look.lock=1,change.statement=10,change.lock=2",
        "copy.statement=10,copy.lock=3,blocked=6,watch=1,pulumi.silence=20,pulumi.end=5,pulumi.lock=4",
    ]
)
LOCKS = {"PGOPTIONS": "-c lock_timeout=4s"}
"""Of Pulumi where no `bin/pulumi` says so."""
IN_TIME = 60.0
"""With these limits, on a machine that is at work on other things, too [seconds]."""
ERROR = "sankore: ERROR: canceling statement due to lock timeout"

COMMANDS = {
    "status": ("status",),
    "verify": ("verify",),
    "verify --no-logins": ("verify", "--no-logins"),
    "doctor": ("doctor",),
    "doctor TEXT": ("doctor", ERROR),
    "explain": ("explain", "sankore", "sankore.alembic_version"),
    "migrate": ("migrate", "sankore"),
    "migrate status": ("migrate", "status", "sankore"),
    "backup": ("backup", "sankore"),
    "restore": ("restore", "sankore", "--yes-replace-data", "--from", "kept"),
    "rotate": ("rotate", "sankore"),
    "rotate --reapply": ("rotate", "--reapply", "sankore"),
    "split plan": ("split", "plan", "sankore", "--to", "sankore"),
    "split run": ("split", "run", "sankore", "--to", "sankore", "--yes"),
}
PULUMI = {"preview": ("preview",), "up": ("up", "--yes"), "up --refresh": ("up", "--yes", "--refresh")}
STALLS: tuple[Mode, ...] = ("frozen", "after login", "in an answer", "drip")
# With --refresh Pulumi asks the server by its provider before the program begins, and `bin/pulumi` is Pulumi alone.
STALLED: list[tuple[str, Mode]] = [
    (command, mode) for command in (*COMMANDS, *PULUMI) if command != "up --refresh" for mode in STALLS
]
USUALLY_STALLED = (
    ("status", "drip"),
    ("verify", "after login"),
    ("backup", "in an answer"),
    ("migrate", "after login"),
    ("rotate", "frozen"),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A stack that is reached by a way that may stand still."""

    project: Project
    way: Proxy


@pytest.fixture(scope="module")
def reached(projects: Projects) -> Iterator[Reached]:
    services: dict[str, Any] = {
        "sankore": declared(sys.executable, "their/sankore"),
        "madansara": {"reads": ["sankore.alembic_version"]},
    }
    with projects() as project, proxy(project.database.server.port) as way:
        project.declare(server={"port": way.port}, services=services, analytics={})
        project.succeeds(project.up())
        write(project.folder / "their/sankore", 'op.execute("CREATE TABLE things (id int)")')
        assert project.tool("migrate", "sankore").returncode == 0
        project.succeeds(project.up())
        backups.tool(project, "backup", "sankore", "--to", str(project.folder / "kept"))
        project.outputs()
        yield Reached(project, way)


@pytest.fixture(autouse=True)
def open_again(reached: Reached) -> Iterator[None]:
    yield
    reached.way.mode = "open"


def ended(project: Project, command: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command, which has to end in time, without a traceback."""
    words = project.tool_command(*COMMANDS[command]) if command in COMMANDS else _pulumi(project, *PULUMI[command])
    start = time.monotonic()
    done = subprocess.run(
        words,
        cwd=project.folder,
        env={**project._environment(), **backups.clients(project), **LOCKS, VARIABLE: LIMITS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * IN_TIME,
    )
    assert time.monotonic() - start < IN_TIME, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def _pulumi(project: Project, *words: str) -> list[str]:
    return [str(project.engine.binary), *words, "--stack", "local", "--non-interactive", "--color", "never"]


@pytest.mark.parametrize("case", sampled(STALLED, *USUALLY_STALLED), ids=" ".join)
def test_nothing_comes_through(reached: Reached, case: tuple[str, Mode]) -> None:
    command, mode = case
    before = (reached.project.folder / "Pulumi.local.yaml").read_text()
    reached.way.mode = mode
    done = ended(reached.project, command)
    said = done.stdout + done.stderr
    # Pulumi has a code of its own for a program that refuses.
    assert done.returncode == 3 if command in COMMANDS else done.returncode != 0, said
    assert f"127.0.0.1:{reached.way.port}" in said
    assert (reached.project.folder / "Pulumi.local.yaml").read_text() == before


@pytest.mark.parametrize("mode", sampled(STALLS, "after login"))
def test_a_watch_says_so_and_goes_on(reached: Reached, mode: Mode) -> None:
    reached.way.mode = mode
    watching = subprocess.Popen(
        reached.project.tool_command("status", "--watch", "0.5"),
        cwd=reached.project.folder,
        env=reached.project._environment() | {VARIABLE: LIMITS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr
    with watching, watching.stderr:
        lost = [watching.stderr.readline() for _ in range(2)]
        assert all("so nothing was changed there" in each for each in lost), lost
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0


def test_the_way_stands_still_in_the_middle_of_up(reached: Reached) -> None:
    project, said = reached.project, ""
    running = subprocess.Popen(
        project.tool_command("rotate", "sankore"),
        cwd=project.folder,
        env={**project._environment(), **LOCKS, VARIABLE: LIMITS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr
    with running, running.stderr:
        for line in running.stderr:
            said += line
            if "creating replacement" in line:
                reached.way.mode = "frozen"
                start = time.monotonic()
        assert running.wait(IN_TIME) == 4, said
    assert time.monotonic() - start < 2 * IN_TIME
    assert "Traceback" not in said
    reached.way.mode = "open"
    again = project.tool("rotate", "sankore")
    assert again.returncode == 0, again.stderr
    project._outputs = {}
    project.connect("sankore").close()


HELD = {
    "own tables locked": (
        "BEGIN",
        "LOCK TABLE sankore.alembic_version, sankore.things IN ACCESS EXCLUSIVE MODE",
    ),
    "role and grants open": (
        "BEGIN",
        "ALTER ROLE sankore_user PASSWORD 'x'",
        "GRANT USAGE ON SCHEMA sankore TO madansara_user",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA sankore GRANT SELECT ON TABLES TO madansara_user",
    ),
    "advisory locks held": (
        "SELECT pg_advisory_lock(oid::bigint) FROM pg_roles",
        "SELECT pg_advisory_lock(oid::bigint) FROM pg_database",
        "SELECT pg_advisory_lock(hashtextextended('alembic sankore', 0))",
        "SELECT pg_advisory_lock(hashtextextended('engarde restore sankore', 0))",
    ),
}


@contextmanager
def held(project: Project, how: str) -> Iterator[None]:
    with psycopg.connect(conninfo(project.outputs()["database_urls"]["sankore"]), autocommit=True) as session:
        session.execute("SET idle_in_transaction_session_timeout = 0")
        for each in HELD[how]:
            session.execute(each.encode())
        yield


DONE = {0, 1}
"""As declared, or findings; of Pulumi, done or failed."""
HINDERED: dict[tuple[str, str], set[int]] = {
    ("own tables locked", "migrate"): {3},
    ("own tables locked", "migrate status"): {3},
    ("own tables locked", "backup"): {3},
    ("own tables locked", "restore"): {3, 4},
    ("own tables locked", "split plan"): {1, 3},
    ("role and grants open", "rotate"): {4},
    ("advisory locks held", "rotate"): {4},
    # Whoever holds that lock has the service's own role.
    ("advisory locks held", "restore"): {2},
}


# A move ends the sessions that are in its way.
HELD_UP = [(command, how) for command in (*COMMANDS, *PULUMI) if command != "split run" for how in HELD]


@pytest.mark.parametrize(
    "case", sampled(HELD_UP, ("backup", "own tables locked"), ("rotate", "role and grants open")), ids=" ".join
)
def test_somebody_holds_what_it_needs(reached: Reached, case: tuple[str, str]) -> None:
    command, how = case
    with held(reached.project, how):
        done = ended(reached.project, command)
    said = done.stdout + done.stderr
    assert done.returncode in HINDERED.get((how, command), DONE), said
    if (how, command) in (("role and grants open", "rotate"), ("advisory locks held", "rotate")):
        assert "sankore_user (process " in said
        assert "SELECT pg_terminate_backend(" in said
        assert "--end-sessions" in said
        # It goes on once nobody is in its way.
        assert reached.project.tool("rotate", "sankore").returncode == 0
    reached.project.outputs()
    reached.project._outputs = {}
