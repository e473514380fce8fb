"""What the engine says is passed on line by line, without what a terminal would obey."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engarde.pulumi_cli import process as engines
from engarde.pulumi_cli.process import engine
from engarde.util.provider_sessions import pgoptions

SAYS = """#!/bin/sh
printf 'first \\033[2J\\r\\nsecond \\342\\200\\256x\\n'
printf '\\033]0;title\\007' >&2
exit 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/pulumi"
    program.parent.mkdir()
    program.write_text(SAYS)
    program.chmod(0o755)
    monkeypatch.setattr(engines, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_it_is_told_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    done = engine("up", work="change")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == "first \\x1b[2J\nsecond \\u202ex\n\\x1b]0;title\\x07\n"
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.usefixtures("folder")
def test_what_is_asked_for_is_handed_over_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    done = engine("stack", "output")
    assert capfd.readouterr() == ("", "")
    assert done.stdout == "first \033[2J\nsecond \u202ex\n"
    assert done.stderr == "\033]0;title\007"


def test_a_project_without_a_launcher_has_the_operators_pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (folder / "bin/pulumi").rename(folder / "pulumi")
    program.write_text("#!/bin/sh\necho $PGOPTIONS\n")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PGOPTIONS", "-c search_path=public")
    assert engine("up").stdout.strip() == pgoptions()["PGOPTIONS"], "what the provider's sessions start with"


TELLING = """
import sys; from pathlib import Path; from engarde.pulumi_cli import process; process.FOLDER = Path(sys.argv[1])
from engarde.util.terminal import begin_command, step
begin_command()
with step("up"):
    sys.exit(process.engine("up", work="change").returncode)
"""


@pytest.mark.parametrize("closed", [False, True], ids=["nobody reads", "closed"])
def test_it_comes_to_its_end_where_nobody_reads(folder: Path, closed: bool) -> None:
    done = folder / "done"
    (folder / "bin/pulumi").write_text(f"#!/bin/sh\nfor each in 1 2 3; do echo a; sleep 0.2; done\n: >{done}\nexit 7\n")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", TELLING, str(folder)]
    ran = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command] if closed else command,
        stdout=subprocess.PIPE,
        stderr=write,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (ran.returncode, ran.stdout, done.exists()) == (7, b"", True)


def test_an_interrupt_waits_for_its_end(folder: Path) -> None:
    (folder / "bin/pulumi").write_text(
        "#!/bin/sh\ntrap 'echo ending; sleep 0.5; echo ended; exit 1' INT\necho begun\nsleep 20 >&- 2>&- & wait\n"
    )
    program = (
        "import sys; from pathlib import Path; from engarde.pulumi_cli import process\n"
        "process.FOLDER = Path(sys.argv[1])\n"
        "try:\n    process.engine('up', work='change')\nexcept KeyboardInterrupt:\n    sys.exit(130)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr
        try:
            assert process.stderr.readline() == "begun\n"
            # It is told before it is waited for.
            time.sleep(0.5)
            # As a terminal does: both are told, and each ends by itself.
            os.killpg(process.pid, signal.SIGINT)
            assert [process.stderr.readline() for _ in range(2)] == ["ending\n", "ended\n"]
            assert process.wait(10) == 130
        finally:
            # `sleep` is the group's, too, and a shell's child in the background is deaf to the interrupt.
            os.killpg(process.pid, signal.SIGKILL)
