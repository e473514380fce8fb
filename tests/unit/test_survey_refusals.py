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
        "role a_user already exists but is not managed by this stack: set `adopt: true` to take it over, or `role:` to"
        " use another name"
    ]
    assert list(faults(stack(services={"a": {"adopt": True}}), found, ())) == []
    assert list(faults(stack(services={"a": {"role": "b"}}), found, ())) == []


def test_schemas_of_others() -> None:
    theirs = [Existing("schema", "a", "other")]
    assert list(faults(stack(**SERVICE), theirs, ())) == [
        "schema a already exists but belongs to other: set `adopt: true` to take it over, or `schema:` to use another"
        " name"
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
        "role legacy does not exist: create it, or remove it from outsideRoles and creators"
    ]


def test_nothing_that_stays_is_moved() -> None:
    before = {Made("role", "a", "a_user"), Made("schema", "a", "a"), Made("role", "gone", "gone_user")}
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(before), (), ())) == []
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(), (), ())) == []


def test_what_has_another_name() -> None:
    before = {Made("role", "a", "old"), Made("schema", "a", "b c"), Made("role", "analytics", "reader")}
    assert list(rename_faults(stack(**SERVICE, analytics={}), frozenset(before), (), ())) == [
        "role old was created for a, but the stack file declares a_user: set `role: old` to keep it,"
        " or `formerly: old` to rename it",
        "schema b c cannot be renamed to a in one step: set `schema: b c` to keep it,"
        ' or run `ALTER SCHEMA "b c" RENAME TO "a";`, then `pulumi refresh`, then `pulumi up`',
        "role reader was created for analytics, but the stack file declares analytics_readonly: set `role: reader` to"
        " keep it, or `formerly: reader` to rename it",
    ]


def test_what_has_changed_hands() -> None:
    before = frozenset({Made("role", "old", "a_user"), Made("schema", "old", "a")})
    assert list(rename_faults(stack(**SERVICE), before, (), ())) == [
        "role a_user was created for old and cannot go to another: keep it there, or rename old with `formerly: old`",
        "schema a was created for old and cannot go to another: keep it there, or rename old with `formerly: old`",
    ]
    assert list(rename_faults(stack(existingSchemas={"a": None}), before, (), ())) == [
        "schema a was created for old and cannot go to another: keep it there"
    ]
