"""What is refused before anything is touched: what is another's, what is not there, what had another name."""

from __future__ import annotations

from typing import Any

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import DatabaseStack
from engarde.preflight.conflicts import Made, faults, rename_faults
from engarde.server.catalog import Existing


def stack(**sections: Any) -> DatabaseStack:
    return restrict_to(parse("prod", {"server": {"host": "h", "database": "d"}, **sections}, {"adminPassword"}), None)


def role(name: str) -> Existing:
    return Existing("role", name, None)


SERVICE = {"services": {"a": None}}


def test_roles_of_others() -> None:
    found = [role("a_user"), role("analytics_readonly")]
    assert list(faults(stack(**SERVICE, analytics={}), found, {"analytics_readonly"})) == [
        "role a_user exists already and is not this stack's: `adopt: true` takes it over, `role:` names another one"
    ]
    assert list(faults(stack(services={"a": {"adopt": True}}), found, ())) == []
    assert list(faults(stack(services={"a": {"role": "b"}}), found, ())) == []


def test_schemas_of_others() -> None:
    theirs = [Existing("schema", "a", "other")]
    assert list(faults(stack(**SERVICE), theirs, ())) == [
        "schema a exists already and is other's: `adopt: true` takes it over, `schema:` names another one"
    ]
    assert list(faults(stack(services={"a": {"adopt": True}}), theirs, ())) == []
    assert list(faults(stack(**SERVICE), [role("a_user"), *theirs], {"a_user"})) == [], "damage, to be repaired"
    for own in ("a_user", "postgres", None):
        assert list(faults(stack(**SERVICE), [Existing("schema", "a", own)], ())) == []


def test_roles_that_are_named_and_not_there() -> None:
    declared = stack(
        **SERVICE, outsideRoles={"backend": None}, existingSchemas={"public": {"creators": ["legacy", "a_user"]}}
    )
    assert list(faults(declared, [role("backend")], ())) == [
        "role legacy does not exist: make it, or take it out of outsideRoles and creators"
    ]


def test_nothing_that_stays_is_moved() -> None:
    before = {Made("role", "a", "a_user"), Made("schema", "a", "a"), Made("role", "gone", "gone_user")}
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(before), (), ())) == []
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(), (), ())) == []


def test_what_has_another_name() -> None:
    before = {Made("role", "a", "old"), Made("schema", "a", "b c"), Made("role", "analytics", "reader")}
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(before), (), ())) == [
        "role old was made for a and is declared as a_user: keep it with `role: old`,"
        " or rename it with `formerly: old`",
        "schema b c cannot become a in one step: keep it with `schema: b c`,"
        ' or run `ALTER SCHEMA "b c" RENAME TO "a";`, then `pulumi refresh`, then `pulumi up`',
        "role reader was made for analytics and is declared as analytics_readonly: keep it with `role: reader`,"
        " or rename it with `formerly: reader`",
    ]


def test_what_has_changed_hands() -> None:
    before = frozenset({Made("role", "old", "a_user"), Made("schema", "old", "a")})
    assert list(rename_faults(stack(**SERVICE), before, (), ())) == [
        "role a_user was made for old and cannot go to another: keep it there, or with `formerly: old`",
        "schema a was made for old and cannot go to another: keep it there, or with `formerly: old`",
    ]
    assert list(rename_faults(stack(existingSchemas={"a": None}), before, (), ())) == [
        "schema a was made for old and cannot go to another: keep it there"
    ]
