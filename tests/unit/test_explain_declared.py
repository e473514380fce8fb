"""What the stack file says to a right, and that the server's own answer is heard."""

from __future__ import annotations

import json
from dataclasses import replace

from rich.console import Console

from engarde.explain import declared, show
from engarde.explain.access_paths import Held
from engarde.explain.explanation import explanation, line
from engarde.explain.facts import Answer
from engarde.output.show import document
from tests.unit.explained import RAILWAY, STACK, S, T, entry, facts, member, role, thing

USERS = thing(31, "table", "users", "backend", "public")
BRANDS = thing(32, "table", "brands", "backend", "public")
PUBLIC = thing(33, "schema", "public", "postgres", None)
OWN = thing(34, "table", "t", "a_user", "a")
OF_B = thing(35, "function", "f()", "b_user", "b")


def said(*entries: object, on: object, right: str = "SELECT", who: str = "a_user", **more: object) -> tuple[str, bool]:
    known = facts(*entries, target=on, **more)  # type: ignore[arg-type]
    found = line(known, STACK, who, known.target, right)
    return found.declared, found.undeclared


def test_a_read_is_declared_however_it_was_given() -> None:
    assert said(entry(USERS, "SELECT", "a_user"), on=USERS) == ("declared: its reads", False)
    assert said(entry(USERS, "SELECT", "x"), on=USERS, memberships=(member("x", "a_user"),))[1] is False
    assert said(entry(USERS, "UPDATE", "a_user"), on=USERS, right="UPDATE") == ("not declared", True)
    assert said(entry(USERS, "SELECT", "b_user"), on=USERS, who="b_user") == ("not declared", True)


def test_columns_are_declared_each_for_itself() -> None:
    both = tuple(entry(BRANDS, "SELECT", "a_user", column=column) for column in ("id", "name"))
    assert said(*both, on=BRANDS) == ("declared: its reads", False)
    assert said(both[0], on=BRANDS) == (
        "declared, not granted yet: `bin/pulumi up --refresh --stack prod`",
        False,
    )
    assert said(*both, entry(BRANDS, "SELECT", "a_user", column="secret"), on=BRANDS) == ("not declared", True)
    assert said(*both, entry(BRANDS, "SELECT", "public", column="secret"), on=BRANDS) == ("not declared", True)
    assert said(entry(BRANDS, "SELECT", "a_user"), on=BRANDS) == ("not declared", True)
    assert declared.enough(STACK, "a_user", BRANDS, "SELECT", Held(True, frozenset()))


def test_what_is_declared_and_only_within_reach_is_not_granted_yet() -> None:
    told = said(entry(USERS, "SELECT", "x"), on=USERS, memberships=(member("x", "a_user", inherit=False),))
    assert told == ("declared, not granted yet: `bin/pulumi up --refresh --stack prod`", False)
    told = said(entry(T, "SELECT", "x"), on=T, memberships=(member("x", "a_user", inherit=False),))
    assert told == ("not declared", True)


def test_everything_in_its_own_schema_is_a_services() -> None:
    assert said(entry(OWN, "DELETE", "a_user"), on=OWN, right="DELETE") == ("declared: its own schema", False)
    assert said(on=OWN) == (
        "its own object: it revoked the privilege from itself, and may grant it to itself again",
        False,
    )
    stray = replace(OWN, owner="postgres", name='T"t')
    assert said(on=stray) == (
        'in its own schema, but owned by postgres: `ALTER TABLE "a"."T""t" OWNER TO "a_user";`',
        False,
    )
    assert said(on=replace(stray, owner="a_user"), right="owner", who="b_user") == ("", False)
    # It would read with a's rights what b has written.
    written = replace(stray, kind="view", owner="b_user")
    assert said(on=written) == ("in its own schema, but owned by b_user: `bin/engarde doctor --stack prod`", False)


def test_what_everybody_has_from_the_beginning() -> None:
    built_in = entry(OF_B, "EXECUTE", "public", builtin=True)
    assert said(built_in, on=OF_B, right="EXECUTE") == ("not declared", True)
    assert said(built_in, on=replace(OF_B, provided=True), right="EXECUTE")[1] is False
    aside = thing(36, "function", "f()", "backend", "public")
    assert said(entry(aside, "EXECUTE", "public", builtin=True), on=aside, right="EXECUTE") == (
        "built in; the stack does not change it",
        False,
    )
    connect = entry(RAILWAY, "CONNECT", "public", builtin=True)
    assert said(connect, on=RAILWAY, right="CONNECT", who="public") == ("not declared", True)
    other = thing(37, "database", "postgres", "postgres", None)
    assert said(entry(other, "CONNECT", "public", builtin=True), on=other, right="CONNECT", who="public")[1] is False
    assert said(entry(PUBLIC, "CREATE", "public", builtin=True), on=PUBLIC, right="CREATE") == ("not declared", True)
    assert said(entry(PUBLIC, "USAGE", "public", builtin=True), on=PUBLIC, right="USAGE") == (
        "declared: for PUBLIC",
        False,
    )


def test_only_the_stacks_own_roles_are_judged() -> None:
    for who in ("postgres", "backend", "somebody"):
        assert said(entry(T, "SELECT", who), on=T, who=who) == ("", False)
    to_read = said(on=replace(USERS, owner="postgres"), who="backend")[0]
    assert to_read.startswith('to declare it: `engarde:outsideRoles.backend.reads: ["public.users"]` in ')
    for who in ("public", "a_user", "analytics_readonly"):
        assert said(entry(T, "SELECT", who), on=T, who=who) == ("not declared", True)


def test_the_line_that_would_declare_it() -> None:
    up = "then `bin/pulumi up --stack prod`"
    odd = thing(38, "view", 'T."t', "b_user", "b")
    to_read = r'to declare it: `engarde:services.a.reads: ["b.\"T.\"\"t\""]`'
    assert said(on=odd)[0] == f"{to_read} in Pulumi.prod.yaml, {up}"
    assert said(on=T)[0].endswith("; and its schema under engarde:existingSchemas")
    assert said(on=odd, right="DELETE")[0] == ""
    assert said(on=OWN, who="analytics_readonly")[0] == (
        f"to declare it: a under engarde:analytics.schemas in Pulumi.prod.yaml, {up}"
    )
    assert said(on=RAILWAY, right="CONNECT", who="somebody")[0] == (
        "to declare it: `engarde:outsideRoles.somebody.database` in Pulumi.prod.yaml, with CONNECT in its list"
    )
    assert said(on=PUBLIC, right="CREATE", who="backend")[0] == (
        "to declare it: `engarde:outsideRoles.backend.schemas.public` in Pulumi.prod.yaml, with CREATE in its list"
    )


def test_the_server_is_heard_when_it_says_otherwise() -> None:
    def heard(*answers: Answer) -> tuple[str, ...]:
        rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN", "owner")
        right = {Answer("object", each, None, each == "SELECT") for each in rights}
        right |= {
            Answer("object", each, column, each == "SELECT")
            for each in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
            for column in ("id", "word")
        }
        right |= {Answer("schema", "USAGE", None, False), Answer("database", "CONNECT", None, True)}
        changed = {(each.on, each.right, each.column): each for each in (*sorted(right, key=repr), *answers)}
        given = entry(T, "SELECT", "somebody"), entry(RAILWAY, "CONNECT", "public", builtin=True)
        known = facts(*given, roles=(role("somebody", login=True),), answers=frozenset(changed.values()))
        found = explanation(known, STACK, "somebody")
        assert found.as_declared is not bool(found.disagreements)
        printed = Console(record=True, width=200)
        printed.print(show.table(found))
        assert ("THE SERVER DISAGREES: " in printed.export_text()) is bool(found.disagreements)
        assert json.loads(document(**show.data(found)))["disagreements"] == list(found.disagreements)
        return found.disagreements

    assert heard() == ()
    assert heard(Answer("object", "DELETE", None, True)) == (
        "DELETE on table s.t: the server itself says yes, so this explanation is wrong",
    )
    assert heard(Answer("object", "SELECT", "word", False)) == (
        "SELECT on table s.t, column word: the server itself says no, so this explanation is wrong",
    )
    assert heard(Answer("schema", "USAGE", None, True)) == (
        "USAGE on schema s: the server itself says yes, so this explanation is wrong",
    )


def test_what_one_should_know_of_a_role() -> None:
    def notes(given: object, major: int = 17) -> str:
        known = facts(roles=(given,), major=major)  # type: ignore[arg-type]
        return "\n".join(explanation(known, STACK, "r").notes)

    assert notes(role("r", login=True)) == ""
    assert "NOLOGIN" in notes(role("r"))
    assert "VALID UNTIL" in notes(replace(role("r"), expired=True))
    assert "CONNECTION LIMIT 0" in notes(replace(role("r"), connection_limit=0))
    assert "log in as it" in notes(role("r", createrole=True), 15)
    assert "log in as it" not in notes(role("r", createrole=True), 16)
    assert S.schema is None
