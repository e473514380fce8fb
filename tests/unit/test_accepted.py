"""Findings that the stack file accepts: how an entry is written, what it covers, and until when."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engarde.checks import registry
from engarde.checks.judging import judged
from engarde.declaration.loader import parse
from engarde.declaration.model import ACCEPTABLE, Stack
from engarde.errors import ConfigError
from engarde.output.findings import Finding, Remedy

HERE = Path(__file__).parents[2]
ENTRY = {"check": "grant", "subject": "a on table b.c", "reason": "its report", "until": "2027-03-01"}
DAY = date(2027, 3, 1)


def stack(*accepted: Any) -> Stack:
    sections = {"server": {"host": "h", "database": "d"}, "accepted": list(accepted)}
    return parse("s", sections, {"adminPassword"})


def finding(check: str = "grant", subject: str = "a on table b.c") -> Finding:
    return Finding(check, subject, "SELECT", "not granted", Remedy("sql", "GRANT"))


def test_it_is_accepted_up_to_the_day_and_a_finding_from_the_next_one() -> None:
    accepted = stack(ENTRY).accepted
    for day, left in ((date(2026, 1, 1), 0), (DAY, 0), (date(2027, 3, 2), 1)):
        found = judged(accepted, [finding()], day)
        assert (len(found.findings), len(found.taken), found.idle) == (left, 1 - left, ())
    assert found.findings[0].actual == "not granted (accepted until 2027-03-01: its report)"


@pytest.mark.parametrize("other", [finding(check="owner"), finding(subject="a on table b.d"), finding(subject="A on")])
def test_nothing_else_is(other: Finding) -> None:
    accepted = stack(ENTRY).accepted
    found = judged(accepted, [other], DAY)
    assert found.findings == (other,)
    assert found.idle == accepted


@pytest.mark.parametrize(
    ("key", "said", "left"),
    [("actual", "not granted", 0), ("actual", "less", 1), ("database", "", 0), ("database", "b", 1)],
)
def test_an_entry_may_say_more(key: str, said: str, left: int) -> None:
    assert len(judged(stack({**ENTRY, key: said}).accepted, [finding()], DAY).findings) == left


def test_a_subject_is_taken_as_it_is_printed() -> None:
    accepted = stack({**ENTRY, "subject": "a on table b.\\u202e"}).accepted
    assert judged(accepted, [finding(subject="a on table b.\u202e")], DAY).findings == ()


def test_every_fault_is_told_in_one_run() -> None:
    with pytest.raises(ConfigError) as caught:
        stack(
            {**ENTRY, "check": "grants"},
            {**ENTRY, "until": "soon"},
            {**ENTRY, "reason": ""},
            {"check": "grant"},
            "grant",
            {**ENTRY, "who": "me"},
            ENTRY,
            ENTRY,
        )
    told = str(caught.value)
    for each in (
        "accepted[0].check: is not a check of verify; allowed: attributes, behaviour, code of others,",
        "accepted[1].until: ",
        "accepted[2].reason: ",
        "accepted[3].reason: missing",
        "accepted[3].subject: missing",
        "accepted[3].until: missing",
        "accepted[4]: must be a map",
        "accepted[5].who: unknown key; allowed: check, subject, reason, until",
        "accepted: accepts the same finding twice: grant: a on table b.c",
    ):
        assert f"engarde:{each}" in told
    with pytest.raises(ConfigError, match="engarde:accepted: must be a list"):
        parse("s", {"server": {"host": "h", "database": "d"}, "accepted": {"check": "grant"}}, {"adminPassword"})


def test_a_date_is_one_in_yaml_too() -> None:
    for each in (DAY, "2027-03-01", "2027-03-01 00:00:00 +0000 UTC"):
        [entry] = stack({**ENTRY, "until": each}).accepted
        assert entry.until == DAY


def test_every_check_of_verify_is_known_and_no_other() -> None:
    checks = registry.checks(*registry.VERIFIED)
    known = registry.ids(checks)
    modules = {HERE / f"engarde/checks/{check.module}.py" for check in checks}
    files, handing_on = (
        {*modules, *(HERE / "engarde/verify").glob("*.py")},
        {"grants": ["self._finding"], "defaults": ["_granted"]},
    )
    calls = [
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Finding", *handing_on.get(file.stem, ()))
    ]
    named = [node.args[0] for node in calls]
    assert {each.value for each in named if isinstance(each, ast.Constant)} == set(known)
    # Handed on, and so written out where that is called.
    assert {ast.unparse(each) for each in named if not isinstance(each, ast.Constant)} == {"check"}
    assert ", ".join(known) == ACCEPTABLE
    for each in known:
        assert stack({**ENTRY, "check": each}).accepted
