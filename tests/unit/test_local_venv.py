"""`.venv`: made once, made anew when half-made, when its Python has gone and when the requirements change."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools.local import venv

MADE = ["venv", "locked", "pip"]
"""Production's first, by their hashes; then what only tests need."""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run to make the virtual environment of an empty project."""
    requirements = tmp_path / "requirements-dev.txt"
    requirements.write_text("pytest==1\n")
    monkeypatch.setattr(venv, "PROJECT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(venv, "REQUIREMENTS", (requirements,))
    commands: list[str] = []
    real_run = subprocess.run

    def run(command: tuple[str | Path, ...], **options: Any) -> object:
        if command[1] == "-c":
            return real_run(command, **options)
        commands.append("locked" if "--require-hashes" in command else str(command[2]))
        if command[2] == "venv":
            (tmp_path / ".venv/bin").mkdir()
            (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
        return None

    monkeypatch.setattr("devtools.local.venv.subprocess.run", run)
    return commands


def test_it_is_made_once(made: list[str]) -> None:
    assert venv.main() == 0
    assert made == MADE
    assert venv.main() == 0
    assert made == MADE


def test_other_requirements_make_it_anew(made: list[str]) -> None:
    venv.main()
    venv.REQUIREMENTS[0].write_text("pytest==2\n")
    venv.main()
    assert made == MADE * 2


def test_a_half_made_one_is_made_anew(made: list[str]) -> None:
    venv.main()
    (venv.VENV / venv.FINISHED).rename(venv.VENV / venv.UNFINISHED)
    (venv.VENV / "lib").mkdir()
    (venv.VENV / "lib/half").touch()
    assert venv.is_ours(venv.VENV)
    venv.main()
    assert made == MADE * 2
    assert not (venv.VENV / "lib").exists()


def test_one_whose_python_has_gone_is_made_anew(made: list[str]) -> None:
    venv.main()
    (venv.VENV / "bin/python").unlink()
    (venv.VENV / "bin/python").symlink_to("/nowhere/python")
    venv.main()
    assert made == MADE * 2


def test_a_link_to_somebodys_is_replaced_and_theirs_stays(made: list[str], tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/file").touch()
    venv.VENV.symlink_to(tmp_path / "theirs")
    assert not venv.is_ours(venv.VENV)
    assert venv.main() == 0
    assert made == MADE
    assert not venv.VENV.is_symlink()
    assert (tmp_path / "theirs/file").exists()


def test_a_failure_is_a_message_and_leaves_it_unfinished(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: tuple[str, ...], **options: Any) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr("devtools.local.venv.subprocess.run", fail)
    assert venv.main() == 1
    assert "it starts over" in capsys.readouterr().err
    assert (venv.VENV / venv.UNFINISHED).exists()
    assert not made
