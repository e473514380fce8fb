"""kill -9 and lost connections at every step of a split: the same command goes on, or it is undone; a service is at
work all the time."""

import signal
from collections.abc import Iterator

import pytest

from tests.engine.admins import only_superuser
from tests.engine.backups import state
from tests.engine.conftest import Projects
from tests.engine.database import NAME
from tests.engine.program import STACK_FILE, Project
from tests.engine.splitting import SERVICE, STACK, TARGET, Writer, is_in, live, made, split, stopped, tidied
from tests.engine.test_backup_faults import KILL, LOSE, by_superuser

pytestmark = [pytest.mark.xdist_group("split-killed"), only_superuser]

Moment = tuple[str, str, str]

WAY = [
    ("split.journal", "write", "after"),
    ("split.preparing", "_make_database", "after"),
    ("split.steps", "prepared", "after"),
    ("split.doors", "set_password", "after"),
    ("split.steps", "shut", "after"),
    ("split.steps", "backup", "before"),
    ("backup.making", "dump", "after"),
    ("split.steps", "backup", "after"),
    ("backup.restoring", "Session.commit", "before"),
    ("split.steps", "restore", "after"),
    ("split.steps", "restored", "after"),
    ("split.doors", "keep_out", "after"),
    ("split.witness", "taken", "before"),
    ("split.steps", "left", "after"),
    ("rotate.draft", "Draft.put_in_place", "after"),
    ("split.steps", "up", "before"),
    ("split.steps", "up", "after"),
    ("split.steps", "brought_up", "after"),
    ("split.steps", "prove", "before"),
    ("split.steps", "delivered", "after"),
    ("split.steps", "proved", "after"),
]
"""Each is come to after the ones before it."""

BACK = [WAY[0], WAY[3], WAY[7], WAY[9], WAY[11], WAY[14], WAY[16], WAY[18], ("split.moving", "remove", "after")]

LOST = [
    ("backup.dumping", "_told", "before"),
    ("backup.dumping", "_pg_dump", "after"),
    ("backup.loading", "feeding.rows", "after"),
    ("split.witness", "taken", "before"),
]

UNDONE = [WAY[1], WAY[4], WAY[10], WAY[12]]


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(**STACK) as project:
        made(project)
        yield project


def killed(project: Project, at: Moment, *words: str) -> None:
    done = stopped(project, at, KILL, *words)
    project.printed += done.stdout + done.stderr
    assert done.returncode == -signal.SIGKILL, (at, done.stderr)


@pytest.mark.parametrize("moment", UNDONE, ids="-".join)
def test_undone(project: Project, moment: Moment) -> None:
    before, file = state(project), (project.folder / STACK_FILE).read_text()
    with Writer(project, (project.database, NAME), (project.database, TARGET)) as writer:
        killed(project, moment, "run", SERVICE, "--to", TARGET, "--yes")
        assert "goes back" in split(project, "run", SERVICE, "--to", "another", "--yes", code=2).stderr
        said = split(project, "back", SERVICE).stdout
        writer.waits(20)
    assert "nothing of it was moved" in said
    assert writer.ways == [0]
    is_in(project, NAME, TARGET)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before
    assert (project.folder / STACK_FILE).read_text() == file
    assert not list((project.folder / ".engarde/split.local").glob("*.json"))


def test_there_and_back_through_all_of_it(project: Project) -> None:
    before, run = state(project), ("run", SERVICE, "--to", TARGET, "--yes")
    with Writer(project, (project.database, NAME), (project.database, TARGET)) as writer:
        for moment in WAY:
            killed(project, moment, *run)
        assert "goes back" not in split(project, *run).stderr
        writer.waits(20)
        for moment in BACK:
            killed(project, moment, "back", SERVICE, "--yes")
        split(project, "back", SERVICE)
        writer.waits(20)
    assert writer.ways == [0, 1, 0]
    is_in(project, NAME, TARGET)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before


def test_a_connection_that_is_lost(project: Project) -> None:
    before, run = state(project), ("run", SERVICE, "--to", TARGET, "--yes")
    for moment in LOST:
        done = stopped(project, moment, by_superuser(project, LOSE), *run)
        assert done.returncode == 1, (moment, done.stderr)
        assert "Traceback" not in done.stderr
    split(project, *run)
    is_in(project, TARGET, NAME)
    assert state(project) == before
