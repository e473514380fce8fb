"""Which stack is meant, what its file is called, what comes into it from environments, and what a shell completes."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from engarde.cli import main
from engarde.declaration.stack_names import checked, file_name, in_folder
from engarde.errors import ConfigError, Unreachable
from engarde.pulumi_cli import stacks
from engarde.util.workspaces import file_backend

CONFIG = {
    "engarde:adminPassword": {"secure": "v1:A"},
    "engarde:server": {"host": "h", "database": "railway"},
    "engarde:services": {"madansara": None, "mada": {"database": "own"}, "sankore": {}},
    "engarde:analytics": None,
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a project, whose operator has a home of his own."""
    for name in ("PULUMI_STACK", "PULUMI_HOME", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for module in ("engarde.pulumi_cli.stacks", "engarde.cli.completion"):
        monkeypatch.setattr(f"{module}.FOLDER", folder)
    (folder / "Pulumi.yaml").write_text("name: engarde\n")
    write(folder, "prod")
    return folder


def write(folder: Path, stack: str, **more: object) -> None:
    (folder / file_name(stack)).write_text(json.dumps({"config": CONFIG, **more}))


def select(home: Path, project: Path, **kept: object) -> None:
    digest = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    (home / "workspaces").mkdir(parents=True, exist_ok=True)
    (home / f"workspaces/engarde-{digest}-workspace.json").write_text(json.dumps(kept))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("prod", "Pulumi.prod.yaml"),
        ("acme/prod", "Pulumi.prod.yaml"),
        ("acme-1/engarde/prod.eu_1", "Pulumi.prod.eu_1.yaml"),
        ("organization/engarde/local", "Pulumi.local.yaml"),
    ],
)
def test_the_file_of_a_stack_is_called_by_the_last_part_of_its_name(name: str, file: str) -> None:
    assert file_name(checked(name)) == file


@pytest.mark.parametrize(
    "name", ["", "../x", "a\nb", "a/b/c/d", "/prod", "acme//prod", "a b", "x" * 101, "..", "prod/", "über"]
)
def test_what_is_no_stack_name_is_one_error(name: str) -> None:
    with pytest.raises(ConfigError, match="is no stack name: NAME, ORGANIZATION/NAME or ORGANIZATION/engarde/NAME"):
        checked(name)


def test_the_organization_is_left_out_where_there_is_only_one() -> None:
    assert checked("organization/engarde/local") == checked("organization/local") == checked("local") == "local"
    assert checked("acme/engarde/local") == "acme/engarde/local"


def test_a_stack_of_another_project_is_refused() -> None:
    with pytest.raises(ConfigError, match="stack acme/shop/prod is of project shop, and this one is engarde"):
        checked("acme/shop/prod")


def test_the_flag_comes_first_then_the_variable_then_the_selected_stack_then_local(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stacks.chosen(None) == "local"
    home = tmp_path / ".pulumi"
    select(home, project, stack="of-an-old-release")
    assert stacks.chosen(None) == "of-an-old-release"
    select(home, project, stacks={"https://api.pulumi.com": "acme/engarde/cloud", "s3://here": "bucket"}, stack="old")
    assert stacks.chosen(None) == "old"
    (home / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert stacks.chosen(None) == "acme/engarde/cloud"
    (project / "Pulumi.yaml").write_text("name: engarde\nbackend: {url: 's3://here'}\n")
    assert stacks.chosen(None) == "bucket"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
    assert stacks.chosen(None) == "acme/engarde/cloud"
    # That of the clone's own backend, which `bin/pulumi` takes, in the folder that may hold stand-ins.
    select(project / ".engarde/pulumi-home", project, stacks={file_backend(project / ".engarde/state"): "local"})
    assert stacks.chosen(None) == "local"
    monkeypatch.setenv("PULUMI_STACK", "acme/other")
    assert stacks.chosen(None) == "acme/other"
    assert stacks.chosen("flag") == "flag"


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"stacks": 1}', "null"])
def test_a_workspace_file_that_says_nothing_selects_nothing(project: Path, tmp_path: Path, kept: str) -> None:
    select(tmp_path / ".pulumi", project)
    [file] = (tmp_path / ".pulumi/workspaces").iterdir()
    file.write_text(kept)
    assert stacks.chosen(None) == "local"


def test_a_stack_without_a_file_is_answered_by_those_that_have_one(project: Path) -> None:
    write(project, "staging")
    assert in_folder(project) == ["prod", "staging"]
    with pytest.raises(ConfigError, match=r"has no file Pulumi\.stagin\.yaml; it has Pulumi\.staging\.yaml, Pulumi"):
        stacks.read(project, "acme/engarde/stagin")


def answer(monkeypatch: pytest.MonkeyPatch, code: int, said: str, complaint: str = "") -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []

    def engine(*words: str) -> "subprocess.CompletedProcess[str]":
        asked.append(words)
        return subprocess.CompletedProcess(words, code, said, complaint)

    monkeypatch.setattr("engarde.pulumi_cli.stacks.engine", engine)
    return asked


def test_values_of_environments_come_from_pulumi_without_secrets(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = {"eu": {"host": "other", "port": 5432}}
    resolved = {
        "engarde:server": {
            "value": '{"host":"from-esc"}',
            "objectValue": {"host": "from-esc", "database": "d"},
            "secret": False,
        },
        "engarde:services": {"value": "{}", "objectValue": {"a": {"database": "eu"}}, "secret": False},
        "engarde:databases": {"value": "{}", "objectValue": servers, "secret": False},
        "engarde:analytics": {"value": "", "secret": False},
        "engarde:adminPassword": {"secret": True},
        "engarde:adminPasswords": {"secret": True},
    }
    asked = answer(monkeypatch, 0, json.dumps(resolved))
    write(project, "prod", environment=["engarde/prod"])
    found = stacks.read(project, "acme/prod")
    assert (found.name, found.server.host, found.services[0].database) == ("acme/prod", "from-esc", "eu")
    assert found.analytics
    file = str(project / "Pulumi.prod.yaml")
    assert asked == [("config", "--json", "--open", "--stack", "acme/prod", "--config-file", file)]


@pytest.mark.parametrize("environment", [None, [], {}])
def test_pulumi_is_not_asked_for_a_file_without_environments(
    project: Path, monkeypatch: pytest.MonkeyPatch, environment: object
) -> None:
    asked = answer(monkeypatch, 1, "")
    write(project, "prod", environment=environment)
    assert (stacks.read(project, "prod").server.host, asked) == ("h", [])


def test_environments_that_pulumi_does_not_resolve_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 255, "", "error: backend does not support environments\n")
    write(project, "prod", environment=["engarde/prod"])
    with pytest.raises(
        Unreachable, match=r"^Pulumi could not open the environments of Pulumi\.prod\.yaml .*\n.*not support"
    ):
        stacks.read(project, "prod")


def completed(*words: str, begun: str = "") -> list[str]:
    shell = ShellComplete(main, {}, "engarde", "_ENGARDE_COMPLETE")
    return [item.value for item in shell.get_completions([*words], begun)]


def test_a_shell_completes_stacks_services_logins_and_databases(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "local")
    assert completed("verify", "--stack") == ["local", "prod"]
    assert completed("status", "-s", begun="acme/engarde/p") == ["acme/engarde/prod"]
    assert completed("verify", begun="ma") == ["madansara", "mada"]
    assert completed("verify", "--stack", "prod", begun="san") == ["sankore"]
    assert completed("url", begun="a") == ["analytics", "admin"]
    assert completed("rotate", "mada", begun="") == ["madansara", "sankore", "analytics"]
    assert completed("migrate", begun="s") == ["status", "sankore"]
    assert completed("migrate", "run", begun="s") == ["sankore"]
    assert completed("psql", "--database") == completed("explain", "--database") == ["railway", "own"]
    assert completed("split", "run", "sankore", "--to", begun="o") == ["own"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text", [None, "config: [", "- 1", "config: {engarde:services: [1], engarde:server: 3}", "a: 1\na: 2"]
)
def test_a_file_that_cannot_be_read_completes_nothing_and_says_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    (project / "Pulumi.prod.yaml").unlink()
    if text:
        (project / "Pulumi.prod.yaml").write_text(text)
    for stack in ("prod", "../x", "none"):
        assert completed("verify", "--stack", stack) == completed("psql", "--stack", stack, "--database") == []
    assert completed("verify", "--service") == []
    assert capsys.readouterr() == ("", "")
