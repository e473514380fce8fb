"""What a role may give itself."""

from __future__ import annotations

import pytest

from engarde.explain.explanation import remarks
from tests.unit.explained import T, answer, entry, facts, member, reasons, role


@pytest.mark.parametrize("near", [{"may_set": False}, {"inherit": False}])
def test_the_admin_option_of_a_role_that_one_is_in(near: dict[str, bool]) -> None:
    known = facts(
        entry(T, "SELECT", "top"),
        memberships=(member("x", "r", **near), member("top", "x", inherit=False, may_set=False, admin=True)),
    )
    first = "" if "may_set" in near else "SET ROLE x, "
    assert reasons(known) == [f"after {first}GRANT top TO r (allowed by ADMIN option of x): top -> GRANT SELECT by o"]


@pytest.mark.parametrize(("major", "state"), [(15, "can grant itself"), (16, "no")])
def test_createrole_before_16(major: int, state: str) -> None:
    known = facts(entry(T, "SELECT", "top"), roles=(role("r", createrole=True),), major=major)
    assert answer(known).state == state


def test_createrole_makes_nobody_a_member_of_its_own_member_or_of_a_superuser() -> None:
    maker = (role("r", createrole=True),)
    assert (
        answer(facts(entry(T, "SELECT", "top"), memberships=(member("r", "top"),), roles=maker, major=15)).state == "no"
    )
    for nobody in ("postgres", "pg_database_owner"):
        assert answer(facts(entry(T, "SELECT", nobody), roles=maker, major=15)).state == "no"
    known = facts(
        entry(T, "SELECT", "top"), memberships=(member("x", "r"),), roles=(role("x", createrole=True),), major=15
    )
    assert reasons(known) == ["after SET ROLE x, GRANT top TO r (allowed by CREATEROLE of x): top -> GRANT SELECT by o"]


def test_an_owner_may_give_itself_what_it_took() -> None:
    known = facts(memberships=(member("o", "r"),))
    assert list(remarks(known, "r", answer(known))) == ["has the owner's privileges, so it may grant this to itself"]
