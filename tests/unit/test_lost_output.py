"""Commands whose reader goes away, whose disk is full, or whose terminal is lost: how they end."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engarde.errors import Refused
from engarde.railway.api import ANOTHER_URL, _address
from tests.parts import sampled

PROGRAM = """
import os, sys, subprocess; from contextlib import suppress; from pathlib import Path
import click
from engarde.util import terminal
from engarde.cli import main

def answer():
    terminal.say("under way")
    with suppress(OSError):  # where the terminal is lost
        sys.stdin.readline()
    terminal.put("the result")
    terminal.put("x" * 200_000)

@main.command("look")
def look():
    answer()
    Path("end").touch()

@main.command("change")
@click.argument("code", type=int, default=0)
def change(code):
    terminal.begin_change()
    answer()
    subprocess.run([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGHUP)"], check=True)
    Path("end").touch()
    sys.exit(code)

@main.command("fail")
@click.option("--begun", is_flag=True)
@click.argument("what")
def fail(begun, what):
    if begun:
        terminal.begin_change()
    exec(what)

main(prog_name="engarde")
"""
PROJECT = Path(__file__).resolve().parents[2]
LOST = ["unread", "full", "closed"]


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{PROGRAM}", *words]


@contextmanager
def lost(how: str) -> Iterator[int]:
    """What is written there goes nowhere."""
    if how == "full":
        with Path("/dev/full").open("wb") as full:
            yield full.fileno()
        return
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def run(folder: Path, *words: str, out: str = "", err: str = "") -> subprocess.CompletedProcess[bytes]:
    """Runs one of the commands, and loses these of its streams."""
    closing = "".join(f" {number}>&-" for number, how in ((1, out), (2, err)) if how == "closed")
    with lost(out) as no_out, lost(err) as no_err:
        return subprocess.run(
            ["/bin/sh", "-c", f'exec "$@"{closing}', "sh", *command(*words)],
            stdin=subprocess.DEVNULL,
            stdout=no_out if out in ("unread", "full") else subprocess.PIPE,
            stderr=no_err if err in ("unread", "full") else subprocess.PIPE,
            cwd=folder,
            check=False,
            timeout=60,
        )


def ended(folder: Path) -> bool:
    return (folder / "end").exists()


@pytest.mark.parametrize("how", LOST)
def test_a_look_ends_without_its_reader(tmp_path: Path, how: str) -> None:
    done = run(tmp_path, "look", out=how)
    assert (done.returncode, ended(tmp_path)) == (141 if how == "unread" else 74, False)
    said = done.stderr.decode().splitlines()
    assert said[0] == "under way"
    assert [line.partition(":")[0] for line in said[1:]] == ([] if how == "unread" else ["engarde"])


def test_help_is_a_result(tmp_path: Path) -> None:
    assert run(tmp_path, "--help", out="unread").returncode == 141


@pytest.mark.parametrize(
    ("how", "code", "ends"), [("unread", 0, 74), ("full", 1, 74), ("closed", 0, 74), ("unread", 4, 4)]
)
def test_a_change_goes_on_without_its_reader(tmp_path: Path, how: str, code: int, ends: int) -> None:
    done = run(tmp_path, "change", str(code), out=how)
    assert (done.returncode, ended(tmp_path)) == (ends, True)
    told = ["engarde: the command is done, but its result could not be written"] if ends == 74 else []
    assert done.stderr.decode().splitlines() == ["under way", *told]


@pytest.mark.parametrize("how", sampled(LOST, "unread"))
def test_a_change_goes_on_without_any_reader(tmp_path: Path, how: str) -> None:
    assert (run(tmp_path, "change", out=how, err=how).returncode, ended(tmp_path)) == (74, True)


@pytest.mark.parametrize(("what", "how"), [("look", "full"), ("change", "closed")])
def test_nobody_has_to_read_how_it_goes(tmp_path: Path, what: str, how: str) -> None:
    done = run(tmp_path, what, err=how)
    assert (done.returncode, ended(tmp_path)) == (0, True)
    assert done.stdout == b"the result\n" + b"x" * 200_000 + b"\n"


def test_a_reader_may_take_its_time_however_the_pipe_was_set(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    process = subprocess.Popen(command("look"), stdin=subprocess.DEVNULL, stdout=write, cwd=tmp_path)
    os.close(write)
    time.sleep(1.5)
    with os.fdopen(read, "rb") as reader:
        assert len(reader.read()) == 200_012
    assert process.wait(60) == 0


@pytest.mark.parametrize(("what", "code"), [("look", -signal.SIGHUP), ("change", 74)])
def test_a_lost_terminal(tmp_path: Path, what: str, code: int) -> None:
    screen, terminal = pty.openpty()
    program = command(what)
    program[3] = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{program[3]}"
    process = subprocess.Popen(
        program, stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path, start_new_session=True
    )
    os.close(terminal)
    assert os.read(screen, 5) == b"under"
    os.close(screen)
    assert (process.wait(60), ended(tmp_path)) == (code, what == "change")


@pytest.mark.parametrize(
    ("what", "words", "code", "said"),
    [
        ("raise KeyError('hunter2')", [], 70, "internal error: KeyError in <string>:1; set ENGARDE_DEBUG=1"),
        ("raise KeyError('hunter2')", ["--begun"], 70, "in <string>:1; something may have been changed: run the same"),
        ("open('/nowhere/it')", [], 2, "[Errno 2] No such file or directory: '/nowhere/it'"),
        ("raise BrokenPipeError(32, 'Broken pipe')", ["--begun"], 4, "Broken pipe; something may have been changed"),
        (
            "import nowhere",
            [],
            2,
            ".venv is incomplete (No module named 'nowhere'): run `.venv/bin/python -m pip install",
        ),
        ("click.confirm('Go on?', err=True)", [], 130, "interrupted"),
        ("raise KeyboardInterrupt", [], 130, "interrupted"),
    ],
)
def test_what_nobody_has_foreseen_is_one_line(
    tmp_path: Path, what: str, words: list[str], code: int, said: str
) -> None:
    done = run(tmp_path, "fail", *words, what)
    line = done.stderr.decode().removeprefix("Go on? [y/N]: ").removesuffix("\n")
    assert done.returncode == code
    assert line.startswith("engarde: ") and said in line
    assert "\n" not in line and "hunter2" not in line


def test_a_venv_that_is_not_complete(tmp_path: Path) -> None:
    for name in ("engarde", "launcher", "devtools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "bin").mkdir()
    shutil.copy(PROJECT / "bin/engarde", tmp_path / "bin")
    (tmp_path / "click.py").write_text("raise ImportError('no click')")
    done = subprocess.run([tmp_path / "bin/engarde", "verify"], capture_output=True, text=True, check=False, timeout=60)
    command = ".venv/bin/python -m pip install --require-hashes -r requirements.lock"
    assert (done.returncode, done.stderr) == (2, f"engarde: .venv is incomplete (no click): run `{command}`\n")


def test_a_traceback_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGARDE_DEBUG", "1")
    told = run(tmp_path, "fail", "raise KeyError('postgresql://a:hunter2@b/c')")
    assert told.returncode == 70
    assert b"Traceback (most recent call last)" in told.stderr and b"KeyError" in told.stderr
    assert b"hunter2" not in told.stderr


def test_an_address_that_is_no_url_is_refused() -> None:
    with pytest.raises(Refused, match="ENGARDE_RAILWAY_URL is not a URL"):
        _address({ANOTHER_URL: "http://[::1"})
