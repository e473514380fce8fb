"""What `bin/pulumi` adds to the environment, and for which stack."""

import hashlib
import json
from pathlib import Path

import pytest

from launcher import command
from launcher.command import parse
from launcher.engine import TO_STAND_INS, Engine, ToolchainError

COMMON = {"ENGARDE_PROJECT": "/project"}
OFFICIAL = Engine("/bin/pulumi", "3.256.0", official=True, environment=COMMON)
STAND_INS = Engine("/bin/pulumi", "3.256.0", official=False, environment=COMMON | TO_STAND_INS)
OURS = {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project after `make up`, an operator with a setup of his own, and no downloads."""
    passphrase, state = tmp_path / "passphrase", tmp_path / "state"
    passphrase.touch()
    monkeypatch.setattr(command, "PASSPHRASE", passphrase)
    monkeypatch.setattr(command, "STATE", state)
    monkeypatch.setattr(command, "STAND_INS_HOME", tmp_path / "stand-ins")
    plugin = tmp_path / "stand-ins/plugins/resource-random-v4/pulumi-resource-random"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    monkeypatch.setattr(command, "BACKEND", f"file://{state}")
    monkeypatch.setattr(command, "PROJECT", tmp_path)
    monkeypatch.setattr(command, "_obtained", lambda: STAND_INS)
    for name in ("PULUMI_STACK", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "ENGARDE_ALLOW_STAND_INS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "operators"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "operators")
    return tmp_path


def environment(words: str, engine: Engine) -> dict[str, str]:
    return command.environment(parse(words.split()), engine)


@pytest.mark.parametrize("engine", [OFFICIAL, STAND_INS])
def test_local_has_backend_and_passphrase_of_the_project(project: Path, engine: Engine) -> None:
    given = environment("up -s local", engine)
    assert given["PULUMI_BACKEND_URL"] == f"file://{project}/state"
    assert given["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{project}/passphrase"
    assert "PULUMI_CONFIG_PASSPHRASE" not in given
    assert (project / "state").is_dir()


def test_another_stack_keeps_what_the_operator_set(project: Path) -> None:
    given = environment("up -s prod", OFFICIAL)
    assert not OURS & given.keys()
    assert given["PULUMI_CONFIG_PASSPHRASE"] == "operators"
    assert given["PULUMI_HOME"] == f"{project}/operators"


def test_stand_ins_serve_local_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert environment("up -s local", STAND_INS).items() >= TO_STAND_INS.items()
    assert "provider stubs" in capsys.readouterr().err


def test_stand_ins_that_lack_something_say_what_before_the_engine_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "STAND_INS_NEED", ("bcrypt", "not_installed"))
    with pytest.raises(
        ToolchainError, match=r"need not_installed, which is not in \.venv. Run `\.venv/bin/python -m pip"
    ):
        environment("up -s local", STAND_INS)
    environment("stack output -s local", STAND_INS)
    environment("up -s local", OFFICIAL)


def test_stand_ins_that_are_not_there_are_named_before_the_engine_starts(project: Path) -> None:
    (project / "stand-ins/plugins/resource-random-v4/pulumi-resource-random").unlink()
    with pytest.raises(ToolchainError, match="there are no provider stubs: run"):
        environment("up -s local", STAND_INS)
    environment("stack output -s local", STAND_INS)
    environment("up -s local", OFFICIAL)


@pytest.mark.parametrize("words", ["up -s prod", "preview", "-s prod import type name id"])
def test_stand_ins_serve_no_other_stack(words: str) -> None:
    with pytest.raises(ToolchainError, match="provider stubs"):
        environment(words, STAND_INS)


def test_stand_ins_serve_another_stack_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGARDE_ALLOW_STAND_INS", "1")
    given = environment("up -s prod", STAND_INS)
    assert given.items() >= TO_STAND_INS.items()
    assert not OURS & given.keys()


def test_commands_without_plugins_work_on_another_stack(project: Path) -> None:
    assert environment("stack output -s prod", STAND_INS)["PULUMI_HOME"] == f"{project}/operators"


def test_downloads_that_have_become_possible_serve_another_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_obtained", lambda: OFFICIAL)
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in environment("up -s prod", STAND_INS)


def test_variable_names_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "local")
    assert environment("up", OFFICIAL).keys() >= OURS
    assert not OURS & environment("up -s prod", OFFICIAL).keys()


def test_selected_stack_serves_when_none_is_named(project: Path) -> None:
    assert not OURS & environment("up", OFFICIAL).keys()
    settings = hashlib.sha1(f"{project}/Pulumi.yaml".encode(), usedforsecurity=False).hexdigest()
    file = project / f"operators/workspaces/engarde-{settings}-workspace.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"stacks": {f"file://{project}/state": "local", "https://elsewhere": "prod"}}))
    assert environment("up", OFFICIAL).keys() >= OURS
    assert not OURS & environment("up -s prod", OFFICIAL).keys()


def test_local_before_the_first_make_up_is_refused(project: Path) -> None:
    (project / "passphrase").unlink()
    with pytest.raises(ToolchainError, match="make up"):
        environment("up -s local", OFFICIAL)
