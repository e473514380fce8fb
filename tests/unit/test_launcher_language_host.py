"""The language host runs a program as the vendor's does, and shows its faults without frames of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import RunError
from pulumi.runtime.proto.language_pb2 import AboutResponse

from components import engine
from launcher.language_host import TOLD, about, run_program


@pytest.fixture(autouse=True)
def path() -> Iterator[None]:
    """Programs put their folder on the path for good."""
    before = sys.path[:]
    yield
    sys.path[:] = before
    sys.modules.pop("beside", None)


def write(folder: Path, program: str) -> Path:
    (folder / "__main__.py").write_text(program)
    (folder / "beside.py").write_text("def fault():\n    raise ValueError('broken')\n")
    return folder


def test_program_is_main_and_finds_what_lies_beside_it(tmp_path: Path) -> None:
    program = "import beside, pathlib\nassert __name__ == '__main__'\npathlib.Path(__file__).with_name('ran').touch()"
    run_program(write(tmp_path, program))
    assert (tmp_path / "ran").exists()


def test_file_serves_as_a_program(tmp_path: Path) -> None:
    write(tmp_path, "raise SystemError")
    (tmp_path / "other.py").write_text("import beside")
    run_program(tmp_path / "other.py")


def test_stated_fault_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^two faults$"):
        run_program(write(tmp_path, "import pulumi\nraise pulumi.RunError('two faults')"))


def test_bug_shows_the_programs_own_frames(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="ValueError: broken") as caught:
        run_program(write(tmp_path, "import beside\nbeside.fault()"))
    files = re.findall(r'File "(.*)"', str(caught.value))
    assert files == [str(tmp_path / "__main__.py"), str(tmp_path / "beside.py")]


def test_it_says_which_python_runs_the_program_without_the_sdk() -> None:
    said = AboutResponse.FromString(about(b""))
    assert (said.executable, said.version) == (sys.executable, ".".join(map(str, sys.version_info[:3])))
    imported = "import sys, launcher.language_host; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", imported], check=False).returncode == 0


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 4096])
def test_a_path_of_any_length_is_said_whole(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(sys, "executable", "x" * length)
    assert AboutResponse.FromString(about(b"")).executable == "x" * length


def test_the_host_knows_the_exit_code_of_a_program_that_has_printed_its_error() -> None:
    assert engine.TOLD == TOLD
