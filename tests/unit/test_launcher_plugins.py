"""Whose plugins serve, and where stand-ins go."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.local import up
from launcher import install as launcher
from launcher.paths import pulumi_home

ENGINE = Path("pulumi")
Says = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without plugins, on a machine without downloads."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "users"))
    monkeypatch.setattr(up, "STAND_INS_HOME", tmp_path / "ours")
    monkeypatch.setattr(up, "PRIVATE", tmp_path)
    monkeypatch.setattr(launcher, "reachable", frozenset[str])
    return tmp_path


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Makes the engine say something of every installation, and lists what it was asked to install."""

    def install(failure: str) -> list[str]:
        asked: list[str] = []

        def answer(_: Path, __: dict[str, str], name: str) -> str:
            asked.append(name)
            return failure

        monkeypatch.setattr(launcher, "install_plugin", answer)
        return asked

    return install


def test_plugins_that_the_user_has_serve(home: Path, install: Says) -> None:
    asked = install("")
    for name in launcher.PLUGINS:
        launcher.plugin_folder(home / "users", name).mkdir(parents=True)
    assert launcher.official(ENGINE, {})
    assert asked == []


def test_nothing_is_asked_for_where_downloads_are_refused(install: Says) -> None:
    asked = install("")
    assert not launcher.official(ENGINE, {})
    assert asked == []


def test_plugins_are_downloaded_where_that_is_possible(install: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "reachable", lambda: frozenset({launcher.VENDOR}))
    asked = install("")
    assert launcher.official(ENGINE, {})
    assert asked == ["postgresql", "random"]
    install("refused")
    assert not launcher.official(ENGINE, {})


def test_stand_ins_are_installed_when_they_differ(home: Path) -> None:
    files = [launcher.plugin_folder(home / "ours", name) / f"pulumi-resource-{name}" for name in launcher.PLUGINS]
    up.install_stand_ins()
    for file in files:
        assert file.read_bytes() == up.STAND_IN.read_bytes()
        assert os.access(file, os.X_OK)
    before = files[1].stat()
    files[0].write_text("older")
    up.install_stand_ins()
    assert files[0].read_bytes() == up.STAND_IN.read_bytes()
    assert files[1].stat() == before
    assert [file.name for file in files[0].parent.iterdir()] == [files[0].name]


def test_folder_of_stand_ins_is_never_taken_for_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", "/some/clone/.engarde/pulumi-home")
    assert pulumi_home() == Path.home() / ".pulumi"
