"""What a rotation comes to, what it refuses, and what it remembers; without an engine or a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engarde.checks import journals
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError, Refused, Unfinished
from engarde.pulumi_cli.process import Step
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import PASSWORD, ROLE, Resource, State
from engarde.rotate.lockout import LoginAttempt, prove
from engarde.rotate.report import Rotation
from engarde.rotate.rotate_login import plan, refuse_more
from engarde.rotate.run import chosen, unfinished_first
from engarde.rotate.stack_change import draft, locked
from tests.unit.mocked import Ended, Ran, run

ENDLESS = "back\\"
SERVER = {"host": "h", "database": "railway"}


def stack(**rotations: int) -> Stack:
    services = {name: {"rotation": rotations.get(name, 1)} for name in ("a", "b")}
    return parse("prod", {"server": SERVER, "services": services, "adminPassword": "x"}, {"adminPassword"})


def known(**rotations: int) -> State:
    made = [Resource("", ROLE, f"{name}-role", f"{name}_user") for name in rotations]
    passwords = [Resource("", PASSWORD, f"{name}-password", rotation=counter) for name, counter in rotations.items()]
    return State((*made, *passwords), (), frozenset({"passwords"}))


@pytest.mark.parametrize(
    ("in_file", "in_state", "begun", "target", "continued"),
    [
        (1, 1, None, 2, False),
        (2, 1, None, 2, True),  # by hand, or on another machine
        (1, 1, 2, 2, True),  # killed before the file was touched
        (2, 1, 2, 2, True),
        (2, 2, 2, 2, True),  # killed after `up`
        (1, 2, 2, 2, True),  # and the file taken back since
        (3, 2, 2, 3, True),
        (3, 3, 2, 4, False),  # somebody else has gone on since
    ],
)
def test_where_a_counter_goes(in_file: int, in_state: int, begun: int | None, target: int, continued: bool) -> None:
    declared = stack(a=in_file)
    found = plan(declared, declared.services[0], known(a=in_state, b=1), {"a": begun} if begun else {})
    assert (found.target, found.continued, found.bump) == (target, continued, target > in_file)


@pytest.mark.parametrize("begun", [{}, {"a": 2}, {"b": 3}])
def test_an_older_file_is_refused(begun: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"engarde:services\.a\.rotation: 1 in the stack file, 3 in the state"):
        plan(stack(), stack().services[0], known(a=3, b=1), begun)
    with pytest.raises(ConfigError, match=r"engarde:services\.a\.rotation: 1 in the stack file, 3 in the state"):
        plan(stack(), stack().services[1], known(a=3, b=1), begun)


def test_what_was_never_brought_up_is_refused() -> None:
    with pytest.raises(Refused, match="a was not created yet"):
        plan(stack(), stack().services[0], known(b=1), {})


def test_what_was_begun_comes_first() -> None:
    assert unfinished_first(stack(), ["a", "b"], known(a=1, b=1), {}) == ["a", "b"]
    assert unfinished_first(stack(), ["a", "b"], known(a=1, b=1), {"b": 2}) == ["b", "a"]
    assert unfinished_first(stack(b=2), ["a", "b"], known(a=1, b=1), {}) == ["b", "a"]


OWN = [
    Step("replace", PASSWORD, "a-password", ("keepers",)),
    Step("update", ROLE, "a-role", ("password",)),
    Step("update", "pulumi:pulumi:Stack", "engarde-prod", ()),
]
MORE = [
    Step("replace", PASSWORD, "b-password", ("keepers",)),
    Step("create", PASSWORD, "a-password", ()),
    Step("update", ROLE, "b-role", ("password",)),
    Step("update", ROLE, "a-role", ("connectionLimit", "password")),
    Step("replace", ROLE, "a-role", ("password",)),
    Step("delete", ROLE, "a-role", ()),
    Step("create", "postgresql:index/grant:Grant", "a-connect", ()),
    Step("update", "pulumi:providers:postgresql", "database-admin", ("password",)),
    Step("delete", "pulumi:pulumi:Stack", "engarde-prod", ()),
]


def test_only_its_own_password_and_role_may_change() -> None:
    planned = Rotation(stack().services[0], 1, 2, continued=False)
    refuse_more(stack(), planned, OWN)
    refuse_more(stack(), planned, [])
    for each in MORE:
        with pytest.raises(Refused) as refused:
            refuse_more(stack(), planned, [*OWN, each])
        assert str(each) in str(refused.value)
        assert str(OWN[0]) not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [(["x", "a", "y"], "stack prod has no login x or y; it has a, b"), (["a", "b", "a"], "named twice: a")],
)
def test_what_is_no_list_of_logins(names: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        chosen(stack(), names)


def test_a_stack_without_logins() -> None:
    empty = parse("prod", {"server": SERVER, "adminPassword": "x"}, {"adminPassword"})
    with pytest.raises(ConfigError, match="declares neither services nor analytics"):
        chosen(empty, [])


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    with patch("engarde.checks.journals.PRIVATE", tmp_path / "private"):
        yield tmp_path


def test_a_command_that_was_stopped_goes_on_with_what_it_left(private: Path) -> None:
    names = ["a", "b", "c"]
    assert journals.read_rotations("prod").remaining(names) == names
    journals.plan_rotations("prod", names, names)
    journals.begin_rotation("prod", "a", 2)
    assert journals.read_rotations("prod").begun == {"a": 2}
    assert journals.read_rotations("staging").begun == {}
    journals.end_rotation("prod", "a")
    journals.begin_rotation("prod", "b", 5)
    assert journals.read_rotations("prod").remaining(names) == ["b", "c"]
    assert journals.read_rotations("prod").remaining(["a"]) == ["a"]
    journals.end_rotation("prod", "b")
    journals.end_rotation("prod", "c")
    assert journals.read_rotations("prod").remaining(names) == names
    assert not list((private / "private").glob("*.json"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"begun": {"a": "x"}, "asked": [], "left": []}'])
def test_a_journal_that_cannot_be_read(private: Path, content: str) -> None:
    (private / "private").mkdir()
    (private / "private/rotation.prod.json").write_text(content)
    with pytest.raises(Refused, match="Repair the file or remove it"):
        journals.read_rotations("prod")


def test_an_engine_that_is_at_work_is_waited_for(private: Path) -> None:
    stale: list[str] = []
    with (
        patch("engarde.checks.observed.backend", lambda _: ""),
        patch("engarde.rotate.stack_change.say", lambda _: None),
        patch("engarde.pulumi_cli.stale_locks.remove_locks", lambda *_: stale.append("removed")),
    ):
        answers = iter(["process 1", "process 1", None])
        with patch("engarde.pulumi_cli.stale_locks.holder", lambda *_: next(answers)), locked(stack(), dry_run=False):
            assert list(answers) == [] and stale
        with (
            patch("engarde.pulumi_cli.stale_locks.holder", return_value="process 1 on there"),
            patch("engarde.rotate.stack_change.PATIENCE", 0),
            pytest.raises(Refused, match=r"in use by process 1 on there\. .*pulumi cancel --stack prod"),
            locked(stack(), dry_run=False),
        ):
            raise AssertionError
        with locked(stack(), dry_run=True):
            assert len(stale) == 1
            with pytest.raises(Refused, match="is running on stack prod"), locked(stack(), dry_run=False):
                raise AssertionError


FILE = """\
config:
  engarde:server: {host: h, database: d}
  engarde:adminPassword: {secure: v1:c1pher}
  engarde:services: {'back\\': {schema: s}, a: }
"""


def test_a_name_that_the_engine_cannot_write(private: Path) -> None:
    (private / "Pulumi.prod.yaml").write_text(FILE)
    declared = read(private, "prod")
    (login,) = (service for service in declared.services if service.name == ENDLESS)
    with (
        patch("engarde.rotate.stack_change.FOLDER", private),
        pytest.raises(ConfigError, match=r"(?s)Add these lines to Pulumi.prod.yaml.*back\\: \{rotation: 2\}"),
        draft(declared, login, 2),
    ):
        raise AssertionError
    assert (private / "Pulumi.prod.yaml").read_text() == FILE


def drafted(private: Path, *edits: tuple[str, str]) -> Any:
    """A draft by an engine that makes these edits."""
    (private / "Pulumi.prod.yaml").write_text(FILE)
    declared = read(private, "prod")

    def set_key(_stack: str, file: Path, _path: str, _value: str) -> None:
        for old, new in edits:
            file.write_text(file.read_text().replace(old, new))

    folder = patch("engarde.rotate.stack_change.FOLDER", private)
    return folder, patch("engarde.rotate.stack_change.set_key", set_key), declared.services[0]


@pytest.mark.parametrize(
    "edits", [(), (("a: }", "a: {rotation: 3}}"),), (("a: }", "a: {rotation: 2}}"), ("schema: s", "schema: t"))]
)
def test_a_copy_that_declares_anything_else(private: Path, edits: tuple[tuple[str, str], ...]) -> None:
    folder, engine, login = drafted(private, *edits)
    with folder, engine, pytest.raises(Refused, match="wrote another key"), draft(read(private, "prod"), login, 2):
        raise AssertionError


def test_a_file_that_was_edited_meanwhile_stays(private: Path) -> None:
    folder, engine, login = drafted(private, ("a: }", "a: {rotation: 2}}"))
    file = private / "Pulumi.prod.yaml"
    with folder, engine, draft(read(private, "prod"), login, 2) as made:
        assert file.read_text() == FILE
        file.write_text(FILE + "# edited\n")
        with pytest.raises(Refused, match="edited meanwhile"):
            made.put_in_place()
        assert file.read_text() == FILE + "# edited\n"
        file.write_text(FILE)
        made.put_in_place()
    assert "rotation: 2" in file.read_text()


IN, OUT, TRUSTED = LoginAttempt(True, True), LoginAttempt(False, True, "no"), LoginAttempt(True, False)


@pytest.mark.parametrize(
    ("new", "old", "warned"), [(IN, OUT, False), (TRUSTED, TRUSTED, True), (IN, IN, True), (TRUSTED, None, True)]
)
def test_a_login_that_proves_something(new: LoginAttempt, old: LoginAttempt | None, warned: bool) -> None:
    with patch("engarde.rotate.lockout.attempt_login", side_effect=[new, old]):
        said = prove(stack(), "a_user", "new", "old" if old else None)
    assert bool(said) == warned
    assert not said or "logging in does not prove the new one" in said


def test_a_login_that_is_refused() -> None:
    with (
        patch("engarde.rotate.lockout.attempt_login", side_effect=[OUT, OUT]),
        pytest.raises(Unfinished, match="a_user cannot log in"),
    ):
        prove(stack(), "a_user", "new", "old")


def up(counter: int, rotation: int) -> Ran:
    urn = "urn:pulumi:local::engarde::engarde:index:ServiceTenant$random:index/randomPassword:RandomPassword::"
    outputs = {"keepers": {"rotation": str(counter)}, "result": "s3cret"}
    state = {f"{urn}{name}-password": {"type": PASSWORD, "outputs": outputs} for name in ("a", "analytics")}
    return run(
        {"server": SERVER, "services": {"a": {"rotation": rotation}, "b": None}, "analytics": {"rotation": 9}},
        state=state,
    )


def test_up_refuses_a_counter_lower_than_the_states() -> None:
    ran = up(2, rotation=2)
    assert ran.resources["a-password"].inputs["keepers"] == {"rotation": "2"}
    up(2, rotation=3)
    with pytest.raises(Ended) as refused:
        up(3, rotation=2)
    assert "engarde:services.a.rotation: 2 in the stack file, 3 in the state" in str(refused.value)
    assert "analytics" not in str(refused.value) and "s3cret" not in str(refused.value)
    with pytest.raises(Ended, match=r"engarde:analytics\.rotation: 9 in the stack file, 10 in the state"):
        up(10, rotation=10)
