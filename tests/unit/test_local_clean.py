"""`make clean` removes what the make targets made and nothing else."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from devtools.local import clean, embedded, state, venv
from devtools.local.state import Admin
from engarde.errors import Refused

USERS = Admin(False, "db.example.org", 5432, "me", "secret", database="mine")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    private = root / ".engarde"
    private.mkdir(parents=True)
    for module in (clean, embedded):
        monkeypatch.setattr(module, "PROJECT", root)
    for module in (clean, embedded, state):
        monkeypatch.setattr(module, "PRIVATE", private)
    monkeypatch.setattr(state, "LOCK", private / "lock")
    monkeypatch.setattr(embedded, "RECORD", private / "postgres.json")
    monkeypatch.setattr(state, "RECORD", private / "server.json")
    monkeypatch.setattr(state, "FILE", private / "state.json")
    for module in (clean, state):
        monkeypatch.setattr(module, "STACK_FILE", root / "Pulumi.local.yaml")
    for module in (clean, venv):
        monkeypatch.setattr(module, "VENV", root / ".venv")
    return root


def test_everything_of_ours_goes(project: Path, tmp_path: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / venv.FINISHED).touch()
    (project / ".engarde/state").mkdir()
    (project / "Pulumi.local.yaml").write_text(f"# {state.DERIVED}; yours to edit.\nconfig: {{}}\n")
    (project / ".ruff_cache").mkdir()
    (project / "engarde/sub/__pycache__").mkdir(parents=True)
    outside = tmp_path / "outside"
    (outside / "data").mkdir(parents=True)
    (project / ".engarde/postgres.json").write_text(json.dumps(asdict(embedded.Embedded(str(outside), 1, "x"))))
    clean.clean()
    assert sorted(each.relative_to(tmp_path) for each in tmp_path.rglob("*")) == [
        Path("project"),
        Path("project/engarde"),
        Path("project/engarde/sub"),
    ]


def test_what_others_made_stays(project: Path) -> None:
    theirs = [
        ".venv/pyvenv.cfg",
        "Pulumi.local.yaml",
        "Pulumi.mine.yaml",
        ".env",
        "notes/__pycache__/x",
        "engarde/a.py",
    ]
    for name in theirs:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("config: {}\n")
    clean.clean()
    assert all((project / name).exists() for name in theirs)
    assert not (project / ".engarde").exists()


def test_a_linked_virtual_environment_loses_its_link_alone(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / venv.FINISHED).touch()
    (project / ".venv").symlink_to(elsewhere)
    clean.clean()
    assert not (project / ".venv").is_symlink()
    assert (elsewhere / venv.FINISHED).exists()


def test_resources_on_a_server_of_the_users_are_not_forgotten(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".engarde/server.json").write_text(json.dumps(asdict(USERS)))
    monkeypatch.setattr(state, "holds_resources", lambda: True)
    with pytest.raises(Refused, match="bin/pulumi destroy"):
        clean.clean()
    assert (project / ".engarde/server.json").exists()
    monkeypatch.setattr(state, "holds_resources", lambda: False)
    clean.clean()
    assert not (project / ".engarde").exists()


def test_resources_on_the_embedded_server_go_with_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".engarde/server.json").write_text(json.dumps(asdict(Admin(True, "127.0.0.1", 1, "postgres", "x"))))
    monkeypatch.setattr(state, "holds_resources", lambda: True)
    clean.clean()
    assert not (project / ".engarde").exists()
