"""What is open in a stack is said first, with when it was begun and how it goes on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from engarde.checks import journals
from engarde.checks.journals import MoveJournal, Step
from engarde.checks.under_way import under_way
from engarde.cli import main
from engarde.declaration.loader import parse
from engarde.doctor import diagnose
from engarde.errors import Refused, Unreachable

SINCE = "2026-11-30 17:00:00 UTC"
ROLES = {"madansara": "madansara_user", "analytics": "analytics_readonly"}


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("engarde.checks.journals.PRIVATE", tmp_path)
    return tmp_path


def begun(step: Step, *, returning: bool = False) -> None:
    journals.write_move("prod", MoveJournal("madansara", None, "field notes", returning, step, since=SINCE))


@pytest.mark.parametrize(
    ("step", "returning", "shut", "goes_on"),
    [
        (Step.BEGUN, False, False, "split run madansara --stack prod --to 'field notes'"),
        (Step.PREPARED, False, True, "split run madansara --stack prod --to 'field notes'"),
        (Step.UP, False, True, "split run madansara --stack prod --to 'field notes'"),
        (Step.OPENED, False, False, "split run madansara --stack prod --to 'field notes'"),
        (Step.COPIED, True, True, "split back madansara --stack prod"),
        (Step.DONE, True, False, "split back madansara --stack prod"),
    ],
)
def test_a_move(step: Step, returning: bool, shut: bool, goes_on: str) -> None:
    begun(step, returning=returning)
    assert under_way("local", ROLES) == ()
    [found] = under_way("prod", ROLES)
    assert str(found).startswith(f"madansara: a move is open since {SINCE}: madansara is moving ")
    assert ("shut out" in str(found)) == shut
    assert f"`bin/engarde {goes_on}` resumes it" in str(found)
    assert ("`bin/engarde split back madansara --stack prod` undoes it" in str(found)) == (not returning)
    finding = found.finding()
    assert (finding.remedy.text, set(finding.concerns)) == (f"bin/engarde {goes_on}", {"madansara_user"})


def test_one_that_is_done_is_not_open() -> None:
    begun(Step.DONE)
    assert under_way("prod", ROLES) == ()


def test_a_rotation(private: Path) -> None:
    journals.begin_rotation("prod", "madansara", 3)
    journals.begin_rotation("prod", "analytics", 2)
    journals.shut_login("prod", "analytics")
    first, second = under_way("prod", ROLES)
    assert re.match(r"madansara: a rotation is open since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: ", str(first))
    assert "analytics is shut out" in str(second)
    assert second.goes_on == "bin/engarde rotate analytics --stack prod"
    kept = journals.read_rotations("prod").since
    journals.begin_rotation("prod", "madansara", 4)
    assert journals.read_rotations("prod").since == kept
    journals.end_rotation("prod", "madansara")
    journals.end_rotation("prod", "analytics")
    assert under_way("prod", ROLES) == ()


def test_what_an_older_release_has_begun(private: Path) -> None:
    (private / "rotation.prod.json").write_text('{"begun": {"madansara": 2}, "asked": [], "left": ["madansara"]}')
    [found] = under_way("prod", ROLES)
    assert str(found).startswith("madansara: a rotation is open: its counter goes to 2, ")


def test_it_comes_before_whatever_a_command_has_to_say(private: Path) -> None:
    begun(Step.SHUT)
    done = CliRunner().invoke(main, ["url", "nobody", "--stack", "prod"])
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"engarde: madansara: a move is open since {SINCE}: ")
    assert rest and done.exit_code == 2
    (private / "split.prod/madansara.json").write_text("torn")
    assert "Repair the file or remove it" in CliRunner().invoke(main, ["url", "nobody", "--stack", "prod"]).stderr
    with pytest.raises(Refused):
        under_way("prod", ROLES)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ('FATAL: password authentication failed for user "madansara_user"', True),
        ('madansara: permission denied for database "x"\nDETAIL:  User does not have CONNECT privilege.', True),
        ("password authentication failed", False),
    ],
)
def test_it_is_what_is_behind_a_refused_login(text: str, sure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(Step.SHUT)
    server = {"host": "127.0.0.1", "port": 1, "database": "railway"}
    values = {"server": server, "services": {"madansara": None, "sankore": None}, "adminPassword": {"secure": "x"}}

    def nobody(*_: object) -> None:
        raise Unreachable("nobody answers")

    for asked in ("doctor.facts.login_of_admin", "checks.observed.outputs", "doctor.causes.logins.admin_password"):
        monkeypatch.setattr(f"engarde.{asked}", nobody)
    found = diagnose(parse("prod", values, ["adminPassword"]), text)
    assert found and found.fix
    assert found.sure == sure
    assert found.fix.text == "bin/engarde split run madansara --stack prod --to 'field notes'"
