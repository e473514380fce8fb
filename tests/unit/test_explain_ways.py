"""Which ways lead a role to a right, and which do not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engarde.explain.access_paths import held
from engarde.explain.explanation import remarks
from tests.unit.explained import S, T, answer, entry, facts, member, reasons, role, thing


def test_each_kind_of_holder_is_a_way_of_its_own() -> None:
    known = facts(
        entry(T, "SELECT", "r", by="x"),
        entry(T, "SELECT", "public"),
        entry(T, "SELECT", "top"),
        entry(T, "SELECT", "r", column="id"),
        entry(T, "SELECT", "r", column="word"),
        entry(T, "SELECT", "somebody"),
        entry(T, "INSERT", "r"),
        memberships=(member("top", "r"), member("pg_read_all_data", "r")),
    )
    assert reasons(known) == [
        "r -> GRANT SELECT by x",
        "PUBLIC -> GRANT SELECT by o",
        "r -> (member, inherits) -> top -> GRANT SELECT by o",
        "r -> (member, inherits) -> pg_read_all_data -> reads everything",
        "r -> GRANT SELECT (id, word) by o",
    ]
    assert answer(known).state == "yes"


def test_an_owner_has_what_its_own_list_says() -> None:
    assert reasons(facts(entry(T, "SELECT", "o")), who="o") == ["o -> owner"]
    assert answer(facts(), who="o").state == "no"
    assert reasons(facts(memberships=(member("o", "r"),)), "owner") == ["r -> (member, inherits) -> o -> owner"]


def test_nothing_leads_to_what_nobody_has() -> None:
    known = facts(entry(T, "SELECT", "top"), memberships=(member("r", "top"), member("x", "r")))
    assert (answer(known).state, reasons(known)) == ("no", [])


def test_every_chain_is_told_once_and_the_shortest_first() -> None:
    known = facts(
        entry(T, "SELECT", "top"),
        memberships=(member("top", "x"), member("top", "y"), member("x", "r"), member("y", "r"), member("top", "r")),
    )
    inherits = " -> (member, inherits) -> "
    assert [reason.removesuffix(" -> GRANT SELECT by o") for reason in reasons(known)] == [
        inherits.join(["r", "top"]),
        inherits.join(["r", "x", "top"]),
        inherits.join(["r", "y", "top"]),
    ]


def test_many_chains_are_cut_and_none_takes_long() -> None:
    layers = [[f"{layer}-{n}" for n in range(4)] for layer in range(20)]
    nowhere = [member(f"!{of}", f"!{name}") for low, high in pairwise(layers) for name in low for of in high]
    steps = [member(of, name) for low, high in pairwise(layers) for name in low for of in high]
    known = facts(
        entry(T, "SELECT", "top"),
        memberships=(
            *steps,
            *nowhere,
            *(member(f"!{each}", "r") for each in layers[0]),
            *(member(each, "r") for each in layers[0]),
            *(member("top", each) for each in layers[-1]),
        ),
    )
    assert answer(known).state == "yes"
    assert 0 < len(reasons(known)) < 20


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        ({}, {}, "yes"),
        ({"may_set": False}, {"may_set": False}, "yes"),
        ({"inherit": False}, {}, "after SET ROLE"),
        ({}, {"inherit": False}, "after SET ROLE"),
        ({"inherit": False}, {"may_set": False}, "after SET ROLE"),
        ({"may_set": False}, {"inherit": False}, "no"),
        ({"inherit": False, "may_set": False}, {}, "no"),
        ({"inherit": False, "may_set": False, "admin": True}, {}, "can grant itself"),
        ({}, {"inherit": False, "may_set": False, "admin": True}, "can grant itself"),
        ({"inherit": False, "may_set": False}, {"admin": True}, "no"),
        ({"may_set": False, "admin": True}, {"inherit": False}, "can grant itself"),
        ({"inherit": False, "may_set": False, "admin": True}, {"inherit": False, "may_set": False}, "no"),
    ],
)
def test_what_the_options_of_two_memberships_come_to(low: dict[str, bool], high: dict[str, bool], state: str) -> None:
    known = facts(entry(T, "SELECT", "top"), memberships=(member("mid", "r", **low), member("top", "mid", **high)))
    assert answer(known).state == state


def test_set_role_is_to_the_last_role_that_does_not_inherit() -> None:
    known = facts(
        entry(T, "SELECT", "top"),
        memberships=(member("x", "r"), member("y", "x", inherit=False), member("top", "y", may_set=False)),
    )
    assert reasons(known) == [
        "after SET ROLE y: r -> (member, inherits) -> x -> (member, by SET ROLE) -> y -> (member, inherits) -> top"
        " -> GRANT SELECT by o"
    ]


def test_set_role_over_several_memberships_that_do_not_inherit() -> None:
    known = facts(
        entry(T, "SELECT", "top"), memberships=(member("x", "r", inherit=False), member("top", "x", inherit=False))
    )
    assert reasons(known) == [
        "after SET ROLE top: r -> (member, by SET ROLE) -> x -> (member, by SET ROLE) -> top -> GRANT SELECT by o"
    ]


@pytest.mark.parametrize(
    ("option", "state"), [("inherit", "yes"), ("may_set", "after SET ROLE"), ("admin", "can grant itself")]
)
def test_two_grants_of_one_membership_count_together(option: str, state: str) -> None:
    nothing = {"inherit": False, "may_set": False, "admin": False}
    both = member("top", "r", **{**nothing, option: True}), member("top", "r", **nothing)
    for memberships in (both, both[::-1]):
        assert answer(facts(entry(T, "SELECT", "top"), memberships=memberships)).state == state


def test_a_superusers_attribute_is_not_inherited() -> None:
    known = facts(memberships=(member("postgres", "r"),))
    assert reasons(known) == ["after SET ROLE postgres: r -> (member, inherits) -> postgres -> superuser"]
    assert answer(known).state == "after SET ROLE"
    assert answer(facts(memberships=(member("postgres", "r", may_set=False),))).state == "no"
    assert answer(facts(roles=(role("r", superuser=True),))).state == "yes"


@pytest.mark.parametrize(
    ("major", "inherit", "state"), [(15, True, "yes"), (15, False, "after SET ROLE"), (16, False, "yes")]
)
def test_the_databases_owner(major: int, inherit: bool, state: str) -> None:
    known = facts(entry(T, "SELECT", "pg_database_owner"), roles=(role("r", inherit=inherit),), owner="r", major=major)
    assert answer(known).state == state
    assert "the database's owner" in reasons(known)[0]


def test_only_superusers_write_to_the_catalogs() -> None:
    known = facts(
        *(entry(T, right, "r") for right in ("SELECT", "INSERT")),
        target=thing(1, "table", "t", guarded=True),
        memberships=(member("pg_write_all_data", "r"),),
    )
    assert (answer(known).state, answer(known, "INSERT").state, answer(known, "UPDATE").state) == ("yes", "no", "no")
    assert list(remarks(known, "r", answer(known, "INSERT"))) == [
        "only superusers may write to the server's own catalogs"
    ]


def test_columns() -> None:
    known = facts(entry(T, "SELECT", "r", column="word"), entry(T, "SELECT", "public", column="id"))
    found = answer(known)
    assert (found.state, found.columns) == ("columns", ("id", "word"))
    assert held(known, "r", T, "SELECT") and not held(known, "r", T, "SELECT").whole


def test_a_right_is_of_no_use_without_the_schemas() -> None:
    known = facts(entry(T, "SELECT", "r"))
    assert list(remarks(known, "r", answer(known))) == ["has SELECT, but no USAGE on schema s: denied with 42501"]
    known = facts(entry(T, "SELECT", "public"), entry(S, "USAGE", "x"), memberships=(member("x", "r", inherit=False),))
    assert list(remarks(known, "r", answer(known))) == [
        "has SELECT, but no USAGE on schema s: denied with 42501 until SET ROLE x"
    ]
    known = facts(entry(T, "SELECT", "r"), entry(S, "USAGE", "public"))
    assert list(remarks(known, "r", answer(known))) == []


def test_a_schemas_owner_may_drop_what_is_in_it() -> None:
    known = facts(target=thing(1, "table", "t", "x"), roles=(role("x"),))
    assert list(remarks(known, "o", answer(known, "owner", "o"))) == ["may DROP it, as the owner of schema s"]
