"""Every command ends in time, with the exit code that is documented, whatever does not answer it."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engarde.util.timeouts import VARIABLE
from tests.conftest import Projects
from tests.engine import backups
from tests.engine.admins import only_superuser
from tests.engine.migrated import declared, write
from tests.engine.program import STACK_FILE, Project, conninfo
from tests.engine.stopping import Moment, stopped
from tests.parts import sampled
from tests.proxies import Mode, Proxy, proxy

pytestmark = [only_superuser, pytest.mark.xdist_group("time-limits")]

LIMITS = ",".join(
    [
        "connect=2,silence=1,answer=1,look.statement=10,look.lock=1,change.statement=10,change.lock=2",
        "copy.statement=10,copy.lock=3,dump.silence=3,dump.pulse=1,blocked=6,gone=4,watch=1",
        "pulumi.silence=12,pulumi.end=2,pulumi.kill=2,pulumi.lock=4",
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
    "migrate --sql": ("migrate", "--sql", "sankore"),
    "migrate status": ("migrate", "status", "sankore"),
    "backup": ("backup", "sankore"),
    "restore": ("restore", "sankore", "--yes-replace-data", "--from", "kept"),
    "rotate": ("rotate", "sankore"),
    "rotate --end-sessions": ("rotate", "--end-sessions", "--yes", "sankore"),
    "rotate --reapply": ("rotate", "--reapply", "sankore"),
    "split plan": ("split", "plan", "sankore", "--to", "sankore"),
    "split run": ("split", "run", "sankore", "--to", "sankore", "--yes"),
}
OF_ONE_THAT_MOVED = {
    "split back": ("split", "back", "sankore", "--yes"),
    "split finish": ("split", "finish", "sankore", "--yes-drop-old"),
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
    ("migrate --sql", "in an answer"),
    ("rotate", "frozen"),
)
STALLED_AFTER_A_MOVE: list[tuple[str, Mode]] = [(command, mode) for command in OF_ONE_THAT_MOVED for mode in STALLS]


@dataclass(frozen=True, slots=True)
class Reached:
    """A stack that is reached by a way that may stand still."""

    project: Project
    way: Proxy

    @contextmanager
    def standing(self, mode: Mode) -> Iterator[None]:
        """It does, until the end of the block."""
        self.way.mode = mode
        try:
            yield
        finally:
            self.way.mode = "open"


@contextmanager
def reaching(projects: Projects, **sections: Any) -> Iterator[Reached]:
    with projects() as project, proxy(project.database.server.port) as way:
        project.declare(server={"port": way.port}, **sections)
        project.succeeds(project.up())
        yield Reached(project, way)


@pytest.fixture(scope="module")
def reached(projects: Projects) -> Iterator[Reached]:
    services: dict[str, Any] = {
        "sankore": declared(sys.executable, "their/sankore"),
        "madansara": {"reads": ["sankore.alembic_version"]},
    }
    with reaching(projects, services=services, analytics={}) as made:
        project = made.project
        write(project.folder / "their/sankore", 'op.execute("CREATE TABLE things (id int)")')
        assert project.tool("migrate", "sankore").returncode == 0
        project.succeeds(project.up())
        backups.tool(project, "backup", "sankore", "--to", str(project.folder / "kept"))
        project.outputs()
        yield made


@pytest.fixture(scope="module")
def moved(projects: Projects) -> Iterator[Reached]:
    """A service has been moved into a database of its own, and what it left is there."""
    with reaching(projects, services={"sankore": None, "madansara": None}) as made:
        with made.project.connect("sankore") as session:
            session.execute("CREATE TABLE alembic_version (version_num varchar(32)); CREATE TABLE things (id int)")
            session.execute("INSERT INTO things SELECT generate_series(1, 10)")
        does(made.project, "split run")
        yield made


def does(project: Project, command: str) -> None:
    """Runs a command that nobody is in the way of, and that does what it is for."""
    done = ended(project, command)
    assert done.returncode == 0, done.stdout + done.stderr
    project.outputs()


def ended(project: Project, command: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command, which has to end in time, without a traceback."""
    of_the_tool = {**COMMANDS, **OF_ONE_THAT_MOVED}
    words = (
        project.tool_command(*of_the_tool[command]) if command in of_the_tool else _pulumi(project, *PULUMI[command])
    )
    start = time.monotonic()
    done = subprocess.run(
        words,
        cwd=project.folder,
        env=project._environment() | around(project),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * IN_TIME,
    )
    assert time.monotonic() - start < IN_TIME, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def around(project: Project) -> dict[str, str]:
    return {**backups.clients(project), **LOCKS, VARIABLE: LIMITS}


def _pulumi(project: Project, *words: str) -> list[str]:
    return [str(project.engine.binary), *words, "--stack", "local", "--non-interactive", "--color", "never"]


@pytest.mark.parametrize("case", sampled(STALLED, *USUALLY_STALLED), ids=" ".join)
def test_nothing_comes_through(reached: Reached, case: tuple[str, Mode]) -> None:
    changes_nothing(reached, *case)


@pytest.mark.parametrize("case", sampled(STALLED_AFTER_A_MOVE), ids=" ".join)
def test_nothing_comes_through_after_a_move(moved: Reached, case: tuple[str, Mode]) -> None:
    changes_nothing(moved, *case)


def changes_nothing(reached: Reached, command: str, mode: Mode) -> None:
    """Neither on the server nor in what is remembered of it."""
    before = remembered(reached.project)
    with reached.standing(mode):
        done = ended(reached.project, command)
    said = done.stdout + done.stderr
    # Pulumi has a code of its own for a program that refuses.
    assert done.returncode != 0 if command in PULUMI else done.returncode == 3, said
    assert f"127.0.0.1:{reached.way.port}" in said
    assert remembered(reached.project) == before


def remembered(project: Project) -> list[str]:
    """The stack file, and the moves that were begun."""
    moves = sorted((project.folder / ".engarde").glob("split.*/*.json"))
    return [each.read_text() for each in (project.folder / STACK_FILE, *moves)]


@pytest.mark.parametrize("mode", sampled(STALLS, "after login"))
def test_a_watch_says_so_and_goes_on(reached: Reached, mode: Mode) -> None:
    watching = subprocess.Popen(
        reached.project.tool_command("status", "--watch", "0.5"),
        cwd=reached.project.folder,
        env=reached.project._environment() | {VARIABLE: LIMITS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr
    with reached.standing(mode), watching, watching.stderr:
        lost = [watching.stderr.readline() for _ in range(2)]
        assert all("Nothing was changed there." in each for each in lost), lost
        watching.send_signal(signal.SIGINT)
        # As of its last look.
        assert watching.wait(10) == 3


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
    assert time.monotonic() - start < IN_TIME
    assert "Traceback" not in said
    reached.way.mode = "open"
    does(project, "rotate")
    project.connect("sankore").close()


TELLS = """
import time
from pathlib import Path
here = Path({file!r})
here.touch()
while here.exists():
    time.sleep(0.02)
"""
"""Says that a moment has come, and waits for what happens then."""
NTH = """
calls = globals()["calls"] = globals().get("calls", 0) + 1
if calls == {number}:
    exec({what!r})
"""


@contextmanager
def standing_once_told(reached: Reached, file: Path) -> Iterator[None]:
    """From the moment on that is told by that file, which has to come, nothing comes through."""
    over = threading.Event()

    def wait() -> None:
        while not over.wait(0.02):
            if file.exists():
                reached.way.mode = "frozen"
                file.unlink()

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
        assert reached.way.mode == "frozen"
    finally:
        over.set()
        waiting.join()
        reached.way.mode = "open"


def stands_still(reached: Reached, at: Moment, command: str, code: int, number: int = 1) -> str:
    """The way does from a moment of the command on, which ends in time and with that code; what it said."""
    project = reached.project
    file, words = project.folder / "told", {**COMMANDS, **OF_ONE_THAT_MOVED}[command]
    what = NTH.format(number=number, what=TELLS.format(file=str(file)))
    start = time.monotonic()
    with standing_once_told(reached, file):
        done = stopped(project, at, what, *words, **around(project))
        assert done.returncode == code, (at, done.stdout + done.stderr)
    assert time.monotonic() - start < IN_TIME, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


RESTORING = {
    ("backup.restore", "clear", "after"): 3,
    ("backup.restore", "copy_in.rows", "after"): 3,
    # Whether it is in is asked for ten seconds, and nobody says.
    ("backup.restore", "Session.commit", "before"): 4,
}


@pytest.mark.parametrize("at", sampled(RESTORING, ("backup.restore", "copy_in.rows", "after")), ids="-".join)
def test_the_way_stands_still_in_the_middle_of_a_restore(reached: Reached, at: Moment) -> None:
    stands_still(reached, at, "restore", RESTORING[at])
    does(reached.project, "restore")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("at", "code"),
    [
        (("migrate.run", "starting_point", "after"), 3),
        (("migrate.run", "_run", "after"), 4),
    ],
)
def test_the_way_stands_still_around_a_migration(reached: Reached, at: Moment, code: int) -> None:
    """Alembic is not started, or has come to its end."""
    stands_still(reached, at, "migrate", code)


def test_the_way_stands_still_in_the_middle_of_a_migration(reached: Reached) -> None:
    project, told = reached.project, reached.project.folder / "told"
    first = 'op.execute("CREATE TABLE things (id int)")'
    more = 'op.execute("CREATE TABLE more ()")'
    write(project.folder / "their/sankore", first, f"{more}\n{TELLS.format(file=str(told)).strip()}\n{more}")
    with standing_once_told(reached, told):
        done = ended(project, "migrate")
    assert done.returncode == 4, done.stderr
    assert "ended after 4 s without a session on the server" in done.stdout + done.stderr
    write(project.folder / "their/sankore", first, more)
    does(project, "migrate")


@pytest.mark.exhaustive
def test_the_way_stands_still_while_a_service_is_shut_out(reached: Reached) -> None:
    stands_still(reached, ("rotate.lockout", "_shut_out", "after"), "rotate --end-sessions", 4)
    # Without the flag it goes on, too.
    does(reached.project, "rotate")
    reached.project.connect("sankore").close()


MOVING: list[Moment] = [
    ("split.steps", "preview", "before"),
    ("rotate.lockout", "_shut_out", "after"),
    ("backup.backup", "Session.waiting", "before"),
    ("backup.restore", "copy_in.rows", "after"),
    ("split.databases", "inspect", "before"),
    ("split.steps", "up", "before"),
    ("split.steps", "verify", "before"),
]
"""Each is come to after the ones before it."""
RETURNING: list[Moment] = [
    ("rotate.lockout", "_shut_out", "after"),
    ("split.steps", "up", "before"),
    ("split.run", "remove", "before"),
]


@pytest.mark.exhaustive
def test_the_way_stands_still_in_the_middle_of_a_move(moved: Reached) -> None:
    for at in RETURNING:
        assert "Run the command again to resume" in stands_still(moved, at, "split back", 4)
    does(moved.project, "split back")
    for at in MOVING:
        assert "Run the command again to resume" in stands_still(moved, at, "split run", 4)
    does(moved.project, "split run")


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
        try:
            yield
        finally:
            # Else psycopg commits it; a command may have ended the session.
            with suppress(psycopg.OperationalError):
                session.rollback()


DONE = {0, 1}
"""As declared, or findings; of Pulumi, done or failed."""
HINDERED: dict[tuple[str, str], set[int]] = {
    ("own tables locked", "migrate"): {3},
    ("own tables locked", "migrate --sql"): {3},
    ("own tables locked", "migrate status"): {3},
    ("own tables locked", "backup"): {3},
    ("own tables locked", "restore"): {3, 4},
    ("own tables locked", "split plan"): {1, 3},
    ("own tables locked", "split run"): {2, 3},
    ("own tables locked", "split back"): {4},
    ("role and grants open", "rotate"): {4},
    ("advisory locks held", "rotate"): {4},
    # Whoever holds that lock has the service's own role.
    ("advisory locks held", "restore"): {2},
}


# What is moved is another stack's, of which nobody reads anything.
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", HELD)
def test_the_service_holds_what_its_move_needs(moved: Reached, how: str) -> None:
    """A move ends the service's sessions, once it has looked at what there is to move."""
    for command in ("split back", "split run"):
        with held(moved.project, how):
            done = ended(moved.project, command)
        assert done.returncode in HINDERED.get((how, command), {0}), done.stdout + done.stderr
        if done.returncode:
            does(moved.project, command)


@pytest.mark.exhaustive
def test_somebody_reads_what_a_moved_service_has_left(moved: Reached) -> None:
    with moved.project.database.session() as session:
        session.execute("BEGIN; LOCK TABLE sankore.things IN ACCESS EXCLUSIVE MODE")
        done = ended(moved.project, "split finish")
        session.rollback()
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Nothing was changed" in done.stderr


@pytest.mark.exhaustive
def test_the_way_stands_still_in_the_middle_of_the_end_of_a_move(moved: Reached) -> None:
    left = "SELECT count(*) FROM pg_namespace WHERE nspname = 'sankore'"
    for at, code, says in (
        (("split.databases", "inspect", "before"), 4, "may still exist. Run the command again: it drops the role"),
        (("split.run", "lockout.acting", "after"), 3, "Nothing was changed"),
    ):
        assert says in stands_still(moved, at, "split finish", code)
        assert moved.project.database.value(left) == 1
    # The third is that of the drop. It arrives in the end, where it is carried to the server once the way is open.
    commit = ("server.session", "Session.commit", "before")
    assert "All of the change was made, or nothing" in stands_still(moved, commit, "split finish", 4, number=3)
    does(moved.project, "split finish")
    assert moved.project.database.value(left) == 0
