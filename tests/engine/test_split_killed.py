"""kill -9 and lost connections at every step of a split: the same command goes on, or it is undone; a service is at
work all the time."""

import json
import signal
from collections.abc import Iterator

import pytest

from tests.engine.admins import only_superuser
from tests.engine.backups import state
from tests.engine.conftest import Stacks
from tests.engine.database import NAME
from tests.engine.diagnosing import diagnosed_by_tool
from tests.engine.program import STACK_FILE, Project
from tests.engine.splitting import SERVICE, STACK, TARGET, Writer, is_in, live, made, split, stopped, tidied
from tests.engine.stopping import KILL, Moment
from tests.engine.test_backup_faults import LOSE, by_superuser
from tests.engine.unheard import How, unheard
from tests.parts import sampled

pytestmark = [pytest.mark.xdist_group("split"), only_superuser]

WAY = [
    ("checks.journals", "write_move", "after"),
    ("split.databases", "Session.execute_alone", "after"),
    ("split.steps", "prepared", "after"),
    ("rotate.lockout", "_shut_out", "after"),
    ("split.steps", "shut", "after"),
    ("backup.backup", "Session.waiting", "before"),
    ("backup.backup", "dump", "after"),
    ("split.steps", "backup", "after"),
    ("backup.restore", "copy_in.rows", "after"),
    ("backup.restore", "Session.commit", "before"),
    ("split.steps", "restore", "after"),
    ("split.steps", "restored", "after"),
    ("rotate.lockout", "keep_out", "after"),
    ("split.databases", "inspect", "before"),
    ("split.databases", "inspect", "after"),
    ("split.steps", "left", "after"),
    ("rotate.stack_change", "Copy.put_in_place", "after"),
    ("split.steps", "up", "before"),
    ("split.steps", "up", "after"),
    ("split.steps", "brought_up", "after"),
    ("split.steps", "prove", "before"),
    ("split.steps", "proved", "after"),
]
"""Each is come to after the ones before it."""

LOST = {
    ("backup.backup", "Session.waiting", "before"),
    ("backup.restore", "copy_in.rows", "after"),
    ("split.databases", "inspect", "before"),
}
"""Where it is the server that ends the tool's sessions."""

BACK = [
    ("checks.journals", "write_move", "after"),
    ("rotate.lockout", "_shut_out", "after"),
    ("split.steps", "backup", "after"),
    ("split.steps", "restore", "after"),
    ("rotate.lockout", "keep_out", "after"),
    ("rotate.stack_change", "Copy.put_in_place", "after"),
    ("split.steps", "up", "after"),
    ("split.steps", "prove", "before"),
    ("split.run", "remove", "after"),
]
UNDONE = [
    ("split.databases", "Session.execute_alone", "after"),
    ("split.steps", "shut", "after"),
    ("split.databases", "inspect", "after"),
]


@pytest.fixture(scope="module")
def project(stacks: Stacks) -> Iterator[Project]:
    with stacks(made, **STACK) as project:
        yield project


@pytest.fixture(autouse=True)
def without_target(project: Project) -> None:
    """What an undone move has made may be dropped, and so it is: each way begins with making it."""
    project.database.run(f'DROP DATABASE IF EXISTS "{TARGET}" WITH (FORCE)')


def broken(project: Project, at: Moment, *words: str) -> None:
    """The command comes to that moment, and no further."""
    lost = at in LOST
    done = stopped(project, at, by_superuser(project, LOSE) if lost else KILL, *words)
    project.printed += done.stdout + done.stderr
    assert done.returncode == (4 if lost else -signal.SIGKILL), (at, done.stderr)
    assert "Traceback" not in done.stderr


def is_told(project: Project) -> None:
    """Whoever runs anything meanwhile is told first what is open, and the doctor's remedy ends it."""
    run = f"bin/engarde split run {SERVICE} --stack local --to '{TARGET}'"
    done = project.tool("doctor", "--output", "json")
    assert done.stderr.startswith(f"engarde: {SERVICE}: a move is open since ")
    found = json.loads(done.stdout)["findings"][0]
    assert (done.returncode, found["check"], found["remedy"]["text"]) == (1, "open move", run)
    code, diagnosis = diagnosed_by_tool(project, f'{SERVICE}: password authentication failed for user "{SERVICE}_user"')
    assert (code, diagnosis["remedy"]["text"]) == (1, run)


@pytest.mark.parametrize("moment", sampled(UNDONE, ("split.steps", "shut", "after")), ids="-".join)
def test_undone(project: Project, moment: Moment) -> None:
    before, file = state(project), (project.folder / STACK_FILE).read_text()
    with Writer(project, (project.database, NAME), (project.database, TARGET)) as writer:
        broken(project, moment, "run", SERVICE, "--to", TARGET, "--yes")
        assert "moves it back" in split(project, "run", SERVICE, "--to", "another", "--yes", code=2).stderr
        is_told(project)
        assert f"warning: {SERVICE}: a move is open since " in project.preview().output
        said = split(project, "back", SERVICE).stdout
        writer.waits(20)
    assert "no data has moved" in said
    assert writer.ways == [0]
    is_in(project, NAME, TARGET)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before
    assert (project.folder / STACK_FILE).read_text() == file
    assert not list((project.folder / ".engarde/split.local").glob("*.json"))


@pytest.mark.exhaustive
def test_there_and_back_through_all_of_it(project: Project) -> None:
    before, run = state(project), ("run", SERVICE, "--to", TARGET, "--yes")
    with Writer(project, (project.database, NAME), (project.database, TARGET)) as writer:
        for moment in WAY:
            broken(project, moment, *run)
        split(project, *run)
        writer.waits(20)
        for moment in BACK:
            broken(project, moment, "back", SERVICE, "--yes")
        split(project, "back", SERVICE)
        writer.waits(20)
    assert writer.ways == [0, 1, 0]
    is_in(project, NAME, TARGET)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["unread", "full", "terminal"])
def test_it_goes_on_where_nobody_hears_of_it(project: Project, how: How) -> None:
    before = state(project)
    with Writer(project, (project.database, NAME), (project.database, TARGET)) as writer:
        for words in (("run", SERVICE, "--to", TARGET), ("back", SERVICE)):
            after = "preparing" if how == "terminal" else ""
            assert unheard(project, how, "split", *words, "--yes", after=after) == 74
            writer.waits(20)
    assert writer.ways == [0, 1, 0]
    is_in(project, NAME, TARGET)
    assert not [*(project.folder / ".engarde/split.local").glob("*.json")]
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before
