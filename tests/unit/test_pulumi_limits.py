"""A command of Pulumi's that does not go on is ended, as an operator would end it."""

import time
from pathlib import Path

import pytest

from engarde.errors import EngardeError, Unfinished, Unreachable
from engarde.pulumi_cli import process as engines
from engarde.pulumi_cli.process import Work, engine
from engarde.util.timeouts import VARIABLE

HANGS = "while :; do sleep 0.1; done"
DEAF = "trap '' INT"
LIMITS = "pulumi.ask=1,pulumi.preview=1,pulumi.silence=1,pulumi.end=1,pulumi.kill=1"
SOON = 20.0
"""Of a loaded machine [seconds]."""


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, LIMITS)
    monkeypatch.setattr(engines, "FOLDER", tmp_path)


def pulumi(folder: Path, *lines: str) -> None:
    """Makes these lines of a shell the project's Pulumi."""
    (folder / "bin").mkdir()
    made = folder / "bin/pulumi"
    made.write_text("\n".join(["#!/bin/sh", *lines]))
    made.chmod(0o755)


@pytest.mark.parametrize(("work", "kind"), [("ask", Unreachable), ("preview", Unreachable), ("change", Unfinished)])
@pytest.mark.parametrize("trap", ["", "trap 'exit 1' INT", DEAF], ids=["killed by it", "ends by it", "deaf"])
def test_one_that_hangs_is_ended(tmp_path: Path, work: Work, kind: type[EngardeError], trap: str) -> None:
    # What it has started lives on, and has its output open.
    pulumi(tmp_path, trap, "sleep 30 &", "echo $$ >pid", HANGS)
    start = time.monotonic()
    with pytest.raises(kind, match=r"`pulumi up` .* 1 s"):
        engine("up", work=work)
    assert time.monotonic() - start < SOON
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_one_that_makes_progress_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi(tmp_path, "for each in 1 2 3 4 5; do echo $each; sleep 0.5; done; exit 3")
    done = engine("up", work="change")
    assert (done.returncode, done.stdout) == (3, "1\n2\n3\n4\n5\n")
    assert capsys.readouterr().err == done.stdout


def test_one_that_is_only_asked_has_its_limit_in_all(tmp_path: Path) -> None:
    pulumi(tmp_path, "while :; do echo more; sleep 0.2; done")
    with pytest.raises(Unreachable, match="`pulumi stack` did not finish within 1 s"):
        engine("stack", "export")


def test_what_it_says_is_kept_apart(tmp_path: Path) -> None:
    pulumi(tmp_path, "echo said; echo complained >&2")
    done = engine("stack", "export")
    assert (done.stdout, done.stderr) == ("said\n", "complained\n")
