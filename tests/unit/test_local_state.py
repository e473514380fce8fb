"""What `make up` and `make clean` conclude from a state file, a killed run's included."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools.local import state
from devtools.local.database import decide
from engarde.errors import Refused


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:local::engarde::{kind}::{name}", "type": kind, "inputs": {"name": name}, **more}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(state, "FILE", tmp_path / "local.json")
    return tmp_path / "local.json"


def write(file: Path, resources: list[dict[str, Any]], pending: list[dict[str, Any]]) -> None:
    operations = [{"type": "creating", "resource": each} for each in pending]
    latest = {"resources": resources, "pending_operations": operations}
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "local", "latest": latest}}))


@pytest.mark.usefixtures("file")
def test_before_the_first_run_there_is_nothing() -> None:
    assert not state.exists()
    assert state.resources() == state.pending() == []


def test_a_stack_that_was_only_initialised_holds_nothing(file: Path) -> None:
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "local"}}))
    assert state.exists()
    assert not state.holds_resources()


def test_the_stack_its_providers_and_passwords_are_nothing_on_the_server(file: Path) -> None:
    write(file, [resource("pulumi:providers:postgresql", "admin"), resource("random:index/x:RandomPassword", "p")], [])
    assert not state.holds_resources()


def test_a_role_is_something_on_the_server(file: Path) -> None:
    write(file, [resource(state.ROLE, "a_user", id="a_user")], [])
    assert state.holds_resources()
    assert state.roles() == {"a_user"}


def test_a_role_that_a_killed_run_was_making_may_be_on_the_server(file: Path) -> None:
    write(file, [], [resource(state.ROLE, "a_user")])
    assert state.holds_resources()
    assert state.roles() == set()
    assert state.pending_roles() == {"a_user"}


def test_other_pending_resources_are_no_roles(file: Path) -> None:
    write(file, [], [resource("postgresql:index/schema:Schema", "a")])
    assert state.pending_roles() == set()


def test_what_a_killed_run_was_making_is_taken_over() -> None:
    assert decide(["b_user", "a_user"], ["b_user", "a_user", "never_made"], "the server") == ["a_user", "b_user"]


def test_what_nobody_of_us_was_making_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"b_user.*Nothing was changed.*adopt") as refusal:
        decide(["a_user", "b_user"], ["a_user"], "the server")
    assert "a_user," not in str(refusal.value)
    assert refusal.value.exit_code == 2
