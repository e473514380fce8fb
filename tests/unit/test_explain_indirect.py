"""What leads past an access list: views, parents, functions; and which rows are left."""

from __future__ import annotations

from dataclasses import replace

from engarde.explain.explanation import explanation, rows
from engarde.explain.facts import Policy, Reading
from engarde.explain.indirect import bases, leaks
from engarde.explain.show import base, passage, policies
from tests.unit.explained import STACK, S, T, entry, facts, member, role, thing

V = thing(11, "view", "v", "ov", updatable=28)
W = thing(12, "view", "w", "ow")
M = thing(13, "materialized view", "m", "om")
P = thing(14, "partitioned table", "p", "op")
F = thing(21, "function", "f()", "of")
USAGE = entry(S, "USAGE", "public")
OF_V = Reading(11, 1, False)


def told(*entries: object, **more: object) -> list[str]:
    known = facts(USAGE, *entries, **more)  # type: ignore[arg-type]
    return [passage(each) for each in explanation(known, STACK, "r").passages]


def test_a_view_gives_what_its_owner_may_read() -> None:
    asks, reads = entry(V, "SELECT", "r"), entry(T, "SELECT", "ov")
    given = {"things": (V,), "readings": (OF_V,)}
    assert told(asks, reads, **given) == ["view s.v: SELECT as ov"]
    assert told(asks, **given) == []
    assert told(reads, **given) == []
    assert told(asks, reads, entry(T, "SELECT", "r"), **given) == []
    assert told(asks, reads, entry(T, "SELECT", "r", column="id"), **given) == ["view s.v: SELECT as ov"]
    assert told(asks, reads, things=(replace(V, invoker=True),), readings=(OF_V,)) == []


def test_a_view_needs_its_schema_and_the_table_does_not() -> None:
    aside = thing(5, "schema", "aside", schema=None)
    view = replace(V, schema="aside")
    given = {"things": (view, aside), "readings": (OF_V,)}
    rights = (entry(V, "SELECT", "r"), entry(T, "SELECT", "ov"))
    assert leaks(facts(USAGE, *rights, **given), "r") == ()  # type: ignore[arg-type]
    assert len(leaks(facts(entry(aside, "USAGE", "r"), *rights, **given), "r")) == 1  # type: ignore[arg-type]


def test_each_view_of_a_view_is_asked_as_the_owner_above_it() -> None:
    given = {"things": (V, W), "readings": (OF_V, Reading(12, 11, False))}
    rights = (entry(W, "SELECT", "r"), entry(T, "SELECT", "ov"))
    assert told(*rights, **given) == []
    assert told(*rights, entry(V, "SELECT", "ow"), **given) == ["view s.w -> s.v: SELECT as ov"]


def test_an_askers_view_below_another_is_the_askers_still() -> None:
    given = {"things": (replace(V, invoker=True), W), "readings": (OF_V, Reading(12, 11, False))}
    rights = (entry(W, "SELECT", "r"), entry(V, "SELECT", "ow"), entry(T, "SELECT", "ow"))
    assert told(*rights, **given) == []
    known = facts(USAGE, *rights, target=W, **given)  # type: ignore[arg-type]
    assert [base(each, "r") for each in bases(known, "r")] == [
        "reads view s.v as ow; r itself may not read it",
        "reads table s.t as r, which lacks SELECT: denied with 42501",
    ]


def test_a_materialized_view_asks_as_its_owner_all_the_way_down() -> None:
    given = {"things": (replace(V, invoker=True), M), "readings": (OF_V, Reading(13, 11, False))}
    rights = (entry(M, "SELECT", "r"), entry(V, "SELECT", "om"), entry(T, "SELECT", "om"))
    assert told(*rights, **given) == ["materialized view s.m -> s.v: SELECT as om, as of its last REFRESH"]


def test_writing_through_a_view() -> None:
    rights = (entry(V, "INSERT", "r"), entry(T, "INSERT", "ov"))
    assert told(*rights, things=(V,), readings=(OF_V,)) == ["view s.v: INSERT as ov"]
    assert told(*rights, things=(replace(V, updatable=0),), readings=(OF_V,)) == []
    other = thing(6, "table", "other")
    assert told(*rights, things=(V, other), readings=(OF_V, Reading(11, 6, False))) == [
        "view s.v: INSERT as ov, if the view writes to it"
    ]


def test_a_parent_reaches_its_children_unasked() -> None:
    rights = tuple(entry(P, right, "r") for right in ("SELECT", "INSERT"))
    given = {"things": (P,), "readings": (Reading(14, 1, True),)}
    assert told(*rights, **given) == ["partitioned table s.p: SELECT as r"]
    assert told(*rights, **given, target=replace(T, partition=True)) == ["partitioned table s.p: SELECT, INSERT as r"]


def test_a_function_with_its_owners_rights() -> None:
    called, reads = entry(F, "EXECUTE", "public", builtin=True), entry(T, "SELECT", "of")
    assert told(called, reads, things=(F,)) == [
        "function s.f() runs as its owner of: SELECT; possible access only, because its body is not analysed"
    ]
    assert told(called, reads, entry(T, "SELECT", "r"), things=(F,)) == []
    aside = replace(F, schema="aside"), thing(5, "schema", "aside", schema=None)
    rights = called, reads, entry(T, "SELECT", "r"), entry(aside[1], "USAGE", "r")
    assert len(leaks(facts(*rights, things=aside), "r")) == 1
    assert told(reads, things=(F,)) == []
    assert told(called, things=(F,)) == []
    assert told(called, reads, things=(F,), memberships=(member("of", "r"),)) == []


def test_a_superusers_view_and_function_give_everything_even_to_its_member() -> None:
    theirs = (replace(V, owner="postgres"), replace(F, owner="postgres"))
    rights = (entry(V, "SELECT", "r"), entry(F, "EXECUTE", "r"))
    given = {"things": theirs, "readings": (OF_V,), "memberships": (member("postgres", "r", may_set=False),)}
    view, function = told(*rights, **given)
    assert view == "view s.v: SELECT as postgres"
    assert "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN, owner;" in function
    others = {**given, "things": (replace(V, owner="x"), replace(F, owner="x"))}
    assert told(*rights, **{**others, "memberships": (member("postgres", "x"),)}) == []


def test_a_right_that_lacks_the_schema_comes_through_an_askers_view() -> None:
    aside = thing(5, "schema", "aside", schema=None)
    given = {"things": (replace(V, schema="aside", invoker=True), aside), "readings": (OF_V,)}
    rights = (entry(aside, "USAGE", "r"), entry(V, "SELECT", "r"), entry(T, "SELECT", "r"))
    [found] = leaks(facts(*rights, **given), "r")  # type: ignore[arg-type]
    assert (found.rights, found.acting) == (("SELECT",), "r")
    assert leaks(facts(USAGE, *rights, **given), "r") == ()  # type: ignore[arg-type]


def test_a_passage_is_declared_when_its_own_right_is() -> None:
    public = thing(33, "schema", "public", "postgres", None)
    view = replace(V, schema="public", name="users")
    rights = (entry(public, "USAGE", "public"), entry(T, "SELECT", "ov"))
    for who, by, undeclared in (("a_user", "declared: its reads", False), ("b_user", "not declared", True)):
        known = facts(*rights, entry(view, "SELECT", who), things=(view, public), readings=(OF_V,))
        found = explanation(known, STACK, who)
        assert [(each.declared, each.undeclared) for each in found.passages] == [(by, undeclared)]
        assert [line.undeclared for line in found.lines if line.on == "object"] == [False] * 9


def test_a_view_whose_owner_may_not_is_of_no_use() -> None:
    known = facts(USAGE, entry(V, "SELECT", "r"), entry(V, "INSERT", "r"), target=V, things=(T,), readings=(OF_V,))
    remarks = {line.right: line.remarks for line in explanation(known, STACK, "r").lines if line.on == "object"}
    for right in ("SELECT", "INSERT"):
        assert remarks[right] == (f"still denied with 42501: ov lacks {right} on s.t",)
    assert remarks["DELETE"] == ()


def test_nobody_connects_as_public() -> None:
    assert {line.on for line in explanation(facts(), STACK, "public").lines} == {"schema", "object"}


def test_what_takes_a_set_role() -> None:
    found = told(
        entry(V, "SELECT", "x"),
        entry(T, "SELECT", "ov"),
        things=(V,),
        readings=(OF_V,),
        memberships=(member("x", "r", inherit=False),),
    )
    assert found == ["after SET ROLE x: view s.v: SELECT as ov"]


def test_policies_are_for_a_role_its_roles_and_everybody() -> None:
    def said(who: str, **more: object) -> list[str]:
        found = rows(facts(target=replace(T, row_security=True), policies=given, **more), who)  # type: ignore[arg-type]
        return policies(found) if found else []

    given = (
        Policy("mine", "SELECT", True, "x", "(id = 1)", None),
        Policy("less", "ALL", False, "public", "(id < 9)", "(id < 5)"),
        Policy("other", "ALL", True, "somebody", None, None),
    )
    less = "policy less restricts ALL for PUBLIC: USING ((id < 9)) WITH CHECK ((id < 5))"
    assert said("r") == [
        "row-level security is on",
        less,
        "no row for SELECT, INSERT, UPDATE, DELETE: no policy of this table allows it to this role",
    ]
    assert said("r", memberships=(member("x", "r"),)) == [
        "row-level security is on",
        "policy mine allows SELECT for x: USING ((id = 1))",
        less,
        "no row for INSERT, UPDATE, DELETE: no policy of this table allows it to this role",
    ]
    assert said("r", memberships=(member("postgres", "r"),))[-1] == "every row after SET ROLE postgres, a superuser"
    assert "no row for" not in "".join(said("somebody"))
    forced = rows(facts(target=replace(T, row_security=True, forced=True)), "o")
    assert forced and forced.exempt is None
    for who, more in {"o": {}, "postgres": {}, "r": {"roles": (role("r", bypassrls=True),)}}.items():
        assert said(who, **more)[0].startswith("row-level security is on, but does not apply to this role: ")
    assert rows(facts(), "r") is None
