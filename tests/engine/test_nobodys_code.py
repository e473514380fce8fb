"""No command runs what a service, or a creator in `public`, has put into the database, with another role's rights."""

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engarde.util.provider_sessions import pgoptions
from tests.engine import traps
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_superuser
from tests.engine.apart import make_database
from tests.engine.backups import clients
from tests.engine.conftest import Projects
from tests.engine.database import NAME
from tests.engine.migrated import declared, write
from tests.engine.program import THE_ADMIN, Project
from tests.engine.stopping import KILL, stopped
from tests.parts import sampled

pytestmark = pytest.mark.xdist_group("nobodys-code")

STACK = {
    "services": {
        "madansara": {**declared(sys.executable, "their/madansara"), "reads": ["public.users"]},
        "sankore": {"reads": ["madansara.things", {"table": "public.brands", "columns": ["id"]}]},
    },
    "existingSchemas": {"public": {"service": "production-backend", "creators": [THE_ADMIN, BACKEND]}},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}

COMMANDS = (
    ("verify",),
    ("status",),
    ("status", "--output", "prometheus"),
    ("doctor",),
    ("doctor", "--fix"),
    ("doctor", "madansara: permission denied for table things"),
    ("doctor", "sankore: Can't locate revision identified by 'm1'"),
    ("doctor", "canceling statement due to statement timeout"),
    ("explain", "sankore", "madansara.things"),
    ("explain", "analytics", "public.secured"),
    ("explain", "sankore", "madansara.looking"),
    ("migrate", "status"),
    ("split", "plan", "madansara", "--to", "own"),
)
"""What only looks; what is added to the tool belongs here."""

MIGRATE = ("migrate", "madansara")
CHANGES = (
    ("backup", "madansara", "--to", "{copy}"),
    ("restore", "madansara", "--from", "{copy}", "--yes-replace-data", "--dry-run"),
    ("restore", "madansara", "--from", "{copy}", "--yes-replace-data"),
    MIGRATE,
    ("rotate", "madansara"),
    ("rotate", "madansara", "--dry-run"),
    ("rotate", "madansara", "--reapply"),
    ("rotate", "madansara", "--end-sessions", "--yes"),
)
"""One after another."""

OUT = ("split", "run", "langflow", "--to", "own", "--yes")
BACK = ("split", "back", "langflow", "--yes")
FINISH = ("split", "finish", "langflow", "--yes-drop-old")
MOVES = ((OUT, (*FINISH, "--dry-run"), BACK), (OUT, FINISH))


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    """Brought up, with traps of a service's in its schema and of the backend's in `public`."""
    with projects(**STACK) as project:
        database = project.database
        write(project.folder / "their/madansara", "pass", "pass", prefix="m")
        project.succeeds(project.up())
        traps.tell_sessions_apart(database)
        with project.connect("madansara") as session:
            traps.lay(session, "madansara", database.major, "things")
        with database.session(BACKEND, BACKEND_PASSWORD) as session:
            traps.lay(session, "public", database.major)
            # So that probes take it, it comes first.
            session.execute("CREATE TABLE public.a (id int); CREATE INDEX ON public.a ((public.trap('constant', 1)))")
        project.succeeds(project.up())
        yield project


def only_as_their_owners(stack: Project, since: int) -> None:
    """Whatever ran, ran as who made it; in sessions of the tool's, too."""
    wrong = [each for each in traps.sprung(stack.database, since) if each.current != each.owner]
    assert wrong == []


def the_path_comes_first(stack: Project, since: int) -> None:
    """No session of the tool's looks for a name before it has said where."""
    found = first_statements(stack, since)
    assert found
    for each in found:
        assert re.match(
            r"BEGIN ISOLATION LEVEL [A-Z ]+ READ (ONLY|WRITE) /\* engarde \*/;"
            r" SET LOCAL search_path = pg_catalog, pg_temp /\* engarde \*/;"
            # pg_dump's and pg_restore's own.
            r"|SELECT pg_catalog\.set_config\('search_path', '', false\)"
            # What looks after a session that does not answer names each schema.
            r"|SELECT state, wait_event_type FROM pg_catalog\.pg_stat_activity WHERE pid OPERATOR\(pg_catalog\.=\)",
            each,
        ), each


def first_statements(stack: Project, since: int) -> list[str]:
    """Of every session that calls itself the tool's; the provider's get their path by PGOPTIONS."""
    with stack.database.server.log.open("rb") as log:
        log.seek(since)
        text = log.read().decode(errors="replace")
    first: dict[str, str] = {}
    logged = r"^\[(\d+)\|engarde(?: status)?\] LOG:  (?:statement|execute [^:]*): (.*)"
    for process, said in re.findall(logged, text, re.M):
        first.setdefault(process, said)
    return list(first.values())


def test_the_traps_are_sharp(stack: Project) -> None:
    """A superuser that plans or reads what is in the schemas runs them."""
    mark = stack.database.mark()
    for schema in ("madansara", "public"):
        stack.database.rows(f"SELECT version_num FROM ONLY {schema}.alembic_version LIMIT 20")
        stack.database.rows(f"SELECT * FROM {schema}.looking")
    ran = {(each.owner, each.current, each.place) for each in traps.sprung(stack.database, mark)}
    assert {("madansara_user", "postgres", "constant"), (BACKEND, "postgres", "constant")} <= ran
    assert {("madansara_user", "postgres", "view"), (BACKEND, "postgres", "view")} <= ran


@pytest.mark.parametrize("run", ["preview", "up", "refresh"])
def test_no_run_of_the_engine_springs_one(stack: Project, run: str) -> None:
    mark = stack.database.mark()
    stack.succeeds(getattr(stack, run)())
    only_as_their_owners(stack, mark)


@pytest.mark.parametrize("words", sampled(CHANGES), ids=" ".join)
def test_no_change_springs_one(stack: Project, words: tuple[str, ...]) -> None:
    changes_without_any(stack, words, "copy")


def changes_without_any(stack: Project, words: tuple[str, ...], copy: str) -> None:
    if words == MIGRATE:
        behind(stack)
    none_is_sprung_by(stack, *(word.format(copy=copy) for word in words))


def behind(stack: Project) -> None:
    """A revision is pending, whose own code is harmless."""
    with stack.connect("madansara") as session:
        session.execute("UPDATE alembic_version SET version_num = 'm1'")


def none_is_sprung_by(stack: Project, *words: str, code: int = 0, says: str = "") -> None:
    """By a command that does what it is for, with sessions of Pulumi's as `bin/pulumi` begins them."""
    mark = stack.database.mark()
    done = stack.tool(*words, **clients(stack), **pgoptions())
    only_as_their_owners(stack, mark)
    the_path_comes_first(stack, mark)
    assert (done.returncode, says in done.stderr) == (code, True), done.stdout + done.stderr


@contextmanager
def moving(projects: Projects) -> Iterator[Project]:
    """A service with traps; what would keep it from moving, and who would be kept from it, is not there."""
    with projects(services={"langflow": None}) as project:
        project.succeeds(project.up())
        traps.tell_sessions_apart(project.database)
        with project.connect("langflow") as session:
            traps.lay(session, "langflow", project.database.major, "things")
        yield project


@only_superuser
@pytest.mark.parametrize("moves", sampled(MOVES, MOVES[0]), ids=["there and back", "for good"])
def test_no_move_springs_one(projects: Projects, moves: tuple[tuple[str, ...], ...]) -> None:
    with moving(projects) as project:
        for words in moves:
            none_is_sprung_by(project, *words)


@only_superuser
@pytest.mark.exhaustive
def test_no_move_springs_one_of_names_in_either_database(projects: Projects) -> None:
    with moving(projects) as project:
        make_database(project, "own")
        # `split` does not begin where such names are; they may come once it was begun.
        begun = stopped(project, ("checks.journals", "write_move", "after"), KILL, *OUT, **clients(project))
        assert begun.returncode == -signal.SIGKILL, begun.stderr
        for name in (NAME, "own"):
            with project.database.session(database=name) as session:
                session.execute(f"GRANT CREATE ON SCHEMA public TO {BACKEND}; SET ROLE {BACKEND}".encode())
                traps.lay(session, "public", project.database.major)
                traps.shadow(session)
        for words in (OUT, BACK):
            none_is_sprung_by(project, *words, code=4, says="moved and works, but `bin/engarde verify` has")


@pytest.fixture(scope="module")
def shadowed(stack: Project) -> Project:
    """With all that the tool's SQL calls made anew in `public`."""
    with stack.database.session(BACKEND, BACKEND_PASSWORD) as session:
        traps.shadow(session)
    return stack


@pytest.mark.parametrize("words", sampled(CHANGES, *CHANGES[:4]), ids=" ".join)
def test_no_change_springs_one_of_these_names(shadowed: Project, words: tuple[str, ...]) -> None:
    changes_without_any(shadowed, words, "another")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_springs_one(shadowed: Project, words: tuple[str, ...]) -> None:
    mark = shadowed.database.mark()
    with shadowed.connect("madansara") as session, traps.swapping(session, "madansara"):
        done = shadowed.tool(*words, **clients(shadowed))
    # What is dropped in the middle of a question may end it, with nothing changed.
    assert done.returncode in (0, 1) or "cache lookup failed" in done.stderr, done.stderr
    only_as_their_owners(shadowed, mark)
    the_path_comes_first(shadowed, mark)


def test_what_is_theirs_is_read_by_their_own_logins(shadowed: Project) -> None:
    behind(shadowed)
    mark = shadowed.database.mark()
    found = shadowed.tool("status", "--output", "json")
    assert '"m1"' in found.stdout, found.stderr
    assert ("madansara_user", "madansara_user", "constant") in {
        (each.owner, each.current, each.place) for each in traps.sprung(shadowed.database, mark)
    }
