"""How Go is asked for the engine, and what is kept of its work."""

import os
from pathlib import Path

import pytest

from launcher import build
from launcher.engine import ToolchainError

GO = """#!/bin/sh
echo "$@" >> "$CALLS"
env > "$CALLS.env"
case $1 in
    list) echo 'go: downloading a v1'; echo a; echo b;;
    build)
        while [ "$1" != -o ]; do shift; done
        mkdir -p "$(dirname "$2")"; touch "$2"; echo a;;
esac
"""
BROKEN = """#!/bin/sh
echo "no such module" >&2
exit 1
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Go that only notes what it is asked for writes."""
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    for name in ("GOCACHE", "GOMODCACHE", "GOTMPDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "calls"


def given_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "go"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    monkeypatch.setattr(build, "go", lambda _: path)


def variables(calls: Path) -> dict[str, str]:
    lines = calls.with_suffix(".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_engine_and_language_host_stand_side_by_side(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_go(tmp_path, GO, monkeypatch)
    build.build(tmp_path / "made", "3.999.0", work=tmp_path / "work")
    assert {each.name for each in (tmp_path / "made/bin").iterdir()} == {"pulumi", "pulumi-language-python"}
    assert os.access(tmp_path / "made/bin/pulumi-language-python", os.X_OK)
    assert "version.Version=v3.999.0 -o" in calls.read_text()
    assert not (tmp_path / "work").exists()


def test_users_go_works_in_our_folders_with_the_users_settings(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_go(tmp_path, GO, monkeypatch)
    build.build(tmp_path / "made", "3.999.0", work=tmp_path / "work")
    seen = variables(calls)
    assert seen["GOMODCACHE"] == f"{tmp_path}/work/mod"
    assert seen["GOTOOLCHAIN"] == "local"
    assert "XDG_CONFIG_HOME" not in seen


def test_go_of_ours_leaves_nothing_in_the_users_folders(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_go(tmp_path / "work/installed", GO, monkeypatch)
    build.build(tmp_path / "made", "3.999.0", work=tmp_path / "work")
    assert variables(calls)["XDG_CONFIG_HOME"] == f"{tmp_path}/work/config"


def test_folders_that_the_user_names_serve(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", "/users/own")
    given_go(tmp_path, GO, monkeypatch)
    build.build(tmp_path / "made", "3.999.0", work=tmp_path / "work")
    assert variables(calls)["GOCACHE"] == "/users/own"


def test_failure_says_why_and_keeps_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_go(tmp_path, BROKEN, monkeypatch)
    with pytest.raises(ToolchainError, match="no such module"):
        build.build(tmp_path / "made", "3.999.0", work=tmp_path / "work")
    assert (tmp_path / "work").exists()
