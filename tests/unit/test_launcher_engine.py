"""The record of the engine that was chosen holds as long as what it rests on."""

from pathlib import Path

import pytest

from launcher import engine
from launcher.engine import Engine, EngineMissing


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine of stand-ins in a project of its own, remembered."""
    for name in ("PRIVATE", "GO_MODULE", "STAND_INS_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(engine, name, tmp_path / name)
    monkeypatch.setattr(engine, "PROJECT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    binary = tmp_path / "engine"
    binary.touch()
    plugin = tmp_path / "STAND_INS_HOME/plugins/random-v4/pulumi-resource-random"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    (tmp_path / "GO_MODULE/go.mod").touch()
    chosen = Engine(str(binary), "3.256.0", official=False, environment={"A": "b"})
    engine.remember(chosen)
    return chosen


def test_found_again(made: Engine) -> None:
    assert engine.found() == made


def test_none_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "PRIVATE", tmp_path / "elsewhere")
    with pytest.raises(EngineMissing, match="make up"):
        engine.found()


def test_changed_stand_in_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "STAND_INS_HOME/plugins/random-v4/pulumi-resource-random").write_text("changed")
    with pytest.raises(EngineMissing):
        engine.found()


def test_new_pin_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "GO_MODULE/go.mod").write_text("changed")
    with pytest.raises(EngineMissing):
        engine.found()


def test_lost_engine_is_noticed(made: Engine) -> None:
    Path(made.binary).unlink()
    with pytest.raises(EngineMissing):
        engine.found()


def test_engines_of_the_user_have_records_of_their_own(made: Engine, tmp_path: Path) -> None:
    users_own = tmp_path / "pulumi"
    users_own.touch(mode=0o755)
    with pytest.raises(EngineMissing):
        engine.found()
    other = Engine(str(users_own), "3.300.0", official=True, environment={})
    engine.remember(other)
    assert engine.found() == other
    users_own.unlink()
    assert engine.found() == made


def test_clones_own_command_is_no_engine_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("clone/bin", "users/bin", "links"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("clone/bin/pulumi", "users/bin/pulumi"):
        (tmp_path / file).touch(mode=0o755)
    (tmp_path / "clone/GO_MODULE").mkdir()
    (tmp_path / "links/pulumi").symlink_to(tmp_path / "clone/bin/pulumi")
    monkeypatch.setenv("PATH", f"{tmp_path}/links::{tmp_path}/clone/bin:{tmp_path}/users/bin")
    assert engine.on_path() == f"{tmp_path}/users/bin/pulumi"
    monkeypatch.setenv("PATH", f"{tmp_path}/links:{tmp_path}/clone/bin")
    assert engine.on_path() is None
