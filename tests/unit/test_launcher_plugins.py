"""Whose plugins serve, and where stand-ins go."""

from collections.abc import Callable
from pathlib import Path

import pytest

from launcher import download, plugins
from launcher.errors import ToolchainError
from launcher.paths import STAND_INS, pulumi_home

ENGINE = Path("pulumi")
Says = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without plugins, on a machine without downloads."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "users"))
    monkeypatch.setattr(plugins, "STAND_INS_HOME", tmp_path / "ours")
    monkeypatch.setattr(plugins, "reachable", frozenset[str])
    return tmp_path


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Makes the engine say something of every installation, and lists what it was asked to install."""

    def install(failure: str) -> list[str]:
        asked: list[str] = []

        def answer(_: Path, __: dict[str, str], name: str, *options: str, patience: float | None = None) -> str:
            asked.append(" ".join((name, *options[:1])))
            return failure

        monkeypatch.setattr(plugins, "_install", answer)
        return asked

    return install


def test_plugins_that_the_user_has_serve(home: Path, install: Says) -> None:
    asked = install("")
    for name in plugins.PINNED:
        plugins.folder_of(home / "users", name).mkdir(parents=True)
    assert plugins.official(ENGINE, {})
    assert asked == []


def test_nothing_is_asked_for_where_downloads_are_refused(install: Says) -> None:
    asked = install("")
    assert not plugins.official(ENGINE, {})
    assert asked == []


def test_plugins_are_downloaded_where_that_is_possible(install: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "reachable", lambda: frozenset({download.VENDOR}))
    asked = install("")
    assert plugins.official(ENGINE, {})
    assert asked == ["postgresql", "random"]
    install("refused")
    assert not plugins.official(ENGINE, {})


def test_stand_ins_are_installed_when_they_differ(home: Path, install: Says) -> None:
    installed = plugins.folder_of(home / "ours", "postgresql") / "pulumi-resource-postgresql"
    installed.parent.mkdir(parents=True)
    installed.write_bytes((STAND_INS / "postgresql/pulumi-resource-postgresql").read_bytes())
    asked = install("")
    plugins.stand_ins(ENGINE, {})
    assert asked == ["random --file"]
    installed.write_text("older")
    asked = install("")
    plugins.stand_ins(ENGINE, {})
    assert asked == ["postgresql --file", "random --file"]


def test_stand_in_that_the_engine_refuses_is_an_error(install: Says) -> None:
    install("no such thing")
    with pytest.raises(ToolchainError, match="no such thing"):
        plugins.stand_ins(ENGINE, {})


def test_folder_of_stand_ins_is_never_taken_for_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", "/some/clone/.engarde/pulumi-home")
    assert pulumi_home() == Path.home() / ".pulumi"
