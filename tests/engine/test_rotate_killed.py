"""kill -9 at every step of a rotation and inside them: the same command goes on, and no password is unknown."""

import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import Projects
from tests.engine.forgotten import leave
from tests.engine.program import STACK_FILE, Project
from tests.engine.rotating import JOURNAL, counters, remember, rotate, rotated, strangers
from tests.engine.stopping import KILL, interruptible, stopped
from tests.engine.unheard import How, unheard
from tests.parts import sampled

pytestmark = pytest.mark.xdist_group("rotate-killed")
log = logging.getLogger(__name__)

SEED = 20_261_125
ROUNDS = 5
MOMENTS = [
    "Updating (",
    "creating replacement",
    "created replacement",
    "-role updating",
    "-role updated",
    "deleting original",
    "deleted original",
    "Resources:",
]
"""What the engine says as it goes along: words rather than seconds, which pass quicker on a machine at rest."""

STEPS = [
    ("checks.journals", "plan_rotations", "after"),
    ("checks.journals", "begin_rotation", "after"),
    ("rotate.stack_change", "Copy.put_in_place", "after"),
    ("rotate.rotate_login", "up", "before"),
    ("rotate.rotate_login", "up", "after"),
    ("rotate.rotate_login", "prove", "after"),
    ("rotate.rotate_login", "_deliver", "after"),
    ("checks.journals", "end_rotation", "before"),
]


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services={"madansara": None, "sankore": None}, analytics={}) as project:
        project.succeeds(project.up())
        yield project


def goes_on(project: Project, before: dict[str, int], name: str = "madansara") -> None:
    """The same command again comes to the end of the one rotation that was begun."""
    report = rotated(project, name)
    assert [each["login"] for each in report["rotated"]] == [name]
    expected = {**before, name: before[name] + 1}
    assert counters(project) == expected
    assert f"rotation: {expected[name]}" in (project.folder / STACK_FILE).read_text().replace('"', "")
    assert not (project.folder / JOURNAL).exists()
    assert strangers(project) == set()
    assert "pending_operations" not in project.state_file.read_text()
    project.connect(name).close()
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}


@pytest.mark.parametrize("step", sampled(STEPS, ("rotate.rotate_login", "up", "after")), ids="-".join)
def test_between_two_steps(project: Project, step: tuple[str, str, str]) -> None:
    before = counters(project)
    remember(project)
    killed = stopped(project, step, KILL, "rotate", "madansara")
    project.printed += killed.stdout + killed.stderr
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert strangers(project) == set()
    goes_on(project, before)


def started(project: Project, output: Path, name: str) -> "subprocess.Popen[bytes]":
    """A rotation in the background that has come to `up`."""
    remember(project)
    with output.open("wb") as opened:
        run = subprocess.Popen(
            project.tool_command("rotate", name),
            cwd=project.folder,
            env=project._environment(),
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=interruptible,
        )
    while b": up ..." not in output.read_bytes():
        assert run.poll() is None, output.read_text()
        time.sleep(0.005)
    return run


def engine_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.parametrize("round_", sampled(range(ROUNDS), 0))
@pytest.mark.parametrize("victim", sampled(["both", "the tool", "the engine"], "both"))
def test_in_the_middle_of_up(project: Project, tmp_path: Path, victim: str, round_: int) -> None:
    chance = random.Random(f"{SEED} {victim} {round_} {project.database.admin.user}")
    before, name, output = counters(project), chance.choice(["madansara", "analytics"]), tmp_path / "output"
    run = started(project, output, name)
    moment, delay = chance.choice(MOMENTS), chance.uniform(0, 0.2)
    while run.poll() is None and moment not in output.read_text():
        time.sleep(0.002)
    time.sleep(delay)
    if run.poll() is None:
        if victim == "both":
            os.killpg(run.pid, signal.SIGKILL)
        elif victim == "the tool":
            os.kill(run.pid, signal.SIGKILL)
        else:
            try:
                os.kill(engine_of(run.pid), signal.SIGKILL)
            except (IndexError, ProcessLookupError):  # between two commands of the engine
                os.kill(run.pid, signal.SIGKILL)
    code = run.wait()
    project.printed += output.read_text()
    log.warning("killed %s %.2f s after %s of %s: %s", victim, delay, moment, name, code)
    if code == 0:
        # It was quicker than the kill.
        assert counters(project) == {**before, name: before[name] + 1}
        return
    assert code in (-signal.SIGKILL, 4), output.read_text()
    if victim == "both":
        assert strangers(project) == set()
    goes_on(project, before, name)


def test_an_interrupt_lets_the_engine_end(project: Project, tmp_path: Path) -> None:
    before, output = counters(project), tmp_path / "output"
    run = started(project, output, "sankore")
    # Before it has begun with the resources, an interrupt is a kill to it.
    while b"creating replacement" not in output.read_bytes():
        time.sleep(0.005)
    engine = engine_of(run.pid)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait() == 130, output.read_text()
    project.printed += output.read_text()
    assert not Path(f"/proc/{engine}").exists()
    assert not list((project.folder / "state/.pulumi/locks").rglob("*.json"))
    assert strangers(project) == set()
    goes_on(project, before, "sankore")


def test_a_password_that_was_about_to_be_made(project: Project) -> None:
    before = counters(project)
    password = project.resources()["madansara-password"]
    half = {key: password[key] for key in ("urn", "type", "inputs", "parent", "custom", "provider")}
    leave(project.state_file, "creating", half)
    goes_on(project, before)


def test_what_was_begun_elsewhere(project: Project) -> None:
    """Without the journal of another machine the file tells how far it was to go."""
    before = counters(project)
    file = project.folder / STACK_FILE
    services = {name: {"rotation": before[name] + (name == "sankore")} for name in ("madansara", "sankore")}
    project.declare(services=services, analytics={"rotation": before["analytics"]})
    text = file.read_text()
    report = rotated(project, "sankore")
    assert [(each["rotationAfter"], each["resumed"]) for each in report["rotated"]] == [(before["sankore"] + 1, True)]
    assert file.read_text() == text
    assert counters(project) == {**before, "sankore": before["sankore"] + 1}


def test_two_at_once(project: Project, tmp_path: Path) -> None:
    before, output = counters(project), tmp_path / "output"
    first = started(project, output, "madansara")
    second = rotate(project, "sankore")
    assert first.wait() == 0, output.read_text()
    assert second.returncode == 2
    assert "another `rotate`, `retire` or `split` is running on stack local" in second.stderr
    remember(project)
    assert counters(project) == {**before, "madansara": before["madansara"] + 1}


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["unread", "full", "terminal"])
@pytest.mark.parametrize("words", [(), ("--end-sessions", "--yes")], ids=["open", "shut"])
def test_it_goes_on_where_nobody_hears_of_it(project: Project, how: How, words: tuple[str, ...]) -> None:
    before = counters(project)
    assert unheard(project, how, "rotate", "--all", *words) == 74
    remember(project)
    assert counters(project) == {name: counter + 1 for name, counter in before.items()}
    assert not (project.folder / JOURNAL).exists()
    assert strangers(project) == set()
    for who in before:
        project.connect(who).close()
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}
