"""`make bench`: its figures are of equal end states, its exit code knows every error, and it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from launcher.paths import PROJECT
from tests.bench import floor as floors
from tests.bench import process
from tests.bench.__main__ import main
from tests.bench.terraform import PROVIDERS
from tests.engine.admins import PASSWORD

pytestmark = pytest.mark.timeout(300)
MODULE = (sys.executable, "-m", "tests.bench")
SLEEPING = "import time; print('asleep', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def without_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs are none of these tests' business."""
    monkeypatch.setenv(PROVIDERS, str(tmp_path))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can enter, too."""
    with tempfile.TemporaryDirectory(prefix="engarde-bench-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.exhaustive
def test_the_floor_and_the_program_end_in_the_same_state() -> None:
    done = subprocess.run([*MODULE, "--sizes", "2"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if line[:1] == "│"]
    (floor, program) = rows
    assert floor[:2] == ["2", "psql floor"]
    assert program[:2] == ["2", "pulumi"]
    # Beside what the floor makes, a password for each role.
    assert int(program[2]) == int(floor[2]) + 3
    assert all(float(cell) > 0 for cell in program[3:7])
    assert floor[7] == program[7] == "0"
    assert "Terraform is left out" in done.stdout


@pytest.mark.exhaustive
def test_another_end_state_and_a_failed_script_are_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> floors.Floor:
        whole = original(*arguments)  # type: ignore[arg-type]
        lines = whole.make.splitlines(keepends=True)
        unlimited = [line.replace("CONNECTION LIMIT 1 ", "") for line in lines if "users" not in line]
        return replace(whole, make="".join(unlimited), drop=f"{whole.drop}DROP ROLE nobody_knows;\n")

    original = floors.floor
    monkeypatch.setattr(floors, "floor", broken)
    assert main(["--sizes", "1"]) == 1
    said = capsys.readouterr()
    assert "psql floor, 1 services, destroy: exit code 3" in said.err
    assert 'ERROR:  role "nobody_knows" does not exist' in said.err
    assert "pulumi, 1 services, up: not in the floor's end state" in said.err
    assert "not in the floor's end state: role s00_user: connlimit 1\n" in said.err
    assert "only in the floor's end state: role s00_user: connlimit -1\n" in said.err
    assert 'not in the floor\'s end state: relation public.users: acl "s00_user=r/postgres"\n' in said.err
    assert PASSWORD not in said.out + said.err


@pytest.mark.exhaustive
def test_an_interrupt_leaves_neither_server_nor_folder(open_folder: Path) -> None:
    told = open_folder / "told"
    temporary = open_folder / "temporary"
    temporary.mkdir()
    with told.open("w") as log:
        run = subprocess.Popen(
            [*MODULE, "--sizes", "2"], cwd=PROJECT, env={**os.environ, "TMPDIR": str(temporary)}, stdout=log, stderr=log
        )
    try:
        while "pulumi, 2 services, up" not in told.read_text():
            assert run.poll() is None, told.read_text()
            time.sleep(0.1)
        time.sleep(1)
    finally:
        while run.poll() is None:
            # Impatience must not cut the cleaning short.
            run.send_signal(signal.SIGINT)
            time.sleep(0.05)
    assert run.returncode == 130
    assert not list(temporary.iterdir())
    running = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(temporary) not in running


def test_a_process_that_takes_too_long_ends_as_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 1.0)
    stubborn = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {SLEEPING}"
    for program in (SLEEPING, stubborn):
        done = process.run([sys.executable, "-c", program], tmp_path, os.environ, limit=1.0)
        assert done.exit
        assert done.seconds < 10
        assert "asleep" in done.output
        assert "up: error: not done after 1 s" in process.errors("up", done, [])
