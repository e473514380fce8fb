"""What planning evaluates of a stored tree, and which refusals are an event trigger's."""

from dataclasses import replace
from typing import Any

import pytest

from engarde.checks.admin_capabilities import admin_capabilities
from engarde.checks.borrowed_rights import _constant, _constants, _Judge
from engarde.checks.session_code import blamed
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.output.findings import Finding, Remedy
from engarde.server.catalog import Catalog, CodeUse, Role, View
from engarde.server.functions import EventTrigger
from engarde.util.quoting import quoted
from tests.unit.hostile import NAMES, hidden

COLUMN = "{VAR :varno 1 :varattno 1 :vartype 23}"
NUMBER = "{CONST :consttype 23 :constvalue 4 [ 1 0 0 0 ]}"


def use(tree: str, **more: Any) -> CodeUse:
    known = {"kind": "index", "name": "i", "relation": "a.t", "schema": "a", "owner": "a_user", "code_kind": "function"}
    code = {
        "code": "a.f(integer)",
        "code_owner": "a_user",
        "executors": [],
        "ranged": False,
        "remedy": "DROP INDEX a.i",
    }
    given = {**known, **code, "evaluated": tree, "called": ":funcid 7 ", "operated": [":opno 9 "], **more}
    return CodeUse(**given, views=[], indexes=[])


def runs(use: CodeUse) -> bool:
    return _constant(use, _constants(use.evaluated or ""))


def call(function: int, *arguments: str) -> str:
    return f"{{FUNCEXPR :funcid {function} :funcresulttype 23 :args ({' '.join(arguments)}) :location 3}}"


def test_a_plan_calls_what_depends_on_no_row() -> None:
    assert runs(use(call(7, NUMBER)))
    assert not runs(use(call(7, COLUMN)))
    assert runs(use(call(3, call(7, NUMBER), COLUMN)))
    assert not runs(use(call(7, call(3, NUMBER), COLUMN)))
    assert runs(use(call(7, COLUMN) + call(7, NUMBER)))
    assert not runs(use(call(77, NUMBER) + call(7, COLUMN)))
    assert runs(use(f"{{OPEXPR :opno 9 :opfuncid 7 :args ({NUMBER} {NUMBER})}}"))
    assert not runs(use(f"{{OPEXPR :opno 9 :opfuncid 7 :args ({NUMBER} {COLUMN})}}"))
    assert not runs(use(call(7, NUMBER), called=None)), "a volatile one"
    assert not runs(use("", evaluated=None))


def test_a_brace_in_a_name_ends_no_node() -> None:
    assert not runs(use(call(7, r"{FIELD :name a\}b}", COLUMN)))


def test_a_tree_of_any_depth_is_read_once() -> None:
    deep = 20_000
    for row, constant in ((COLUMN, False), (NUMBER, True)):
        assert runs(use("{FUNCEXPR :funcid 7 " * deep + row + "}" * deep)) is constant


def trigger(code: str = "log.noted()", **more: Any) -> EventTrigger:
    given = {"name": "noted", "event": "ddl_command_end", "schema": "log", "definer": False, "owner": "postgres"}
    return EventTrigger(**{**given, "code": code, "changers": [], **more})


def said(*lines: str) -> Finding:
    return Finding(
        "behaviour", "a_user in schema a", "allowed", "\n".join(lines), Remedy("command", "bin/engarde explain")
    )


STACK = restrict_to(
    parse("prod", {"server": {"host": "h", "database": "d"}, "services": {"a": None}}, {"adminPassword"}), None
)
ADMIN = Role("postgres", True, False, True, True, True, True, True, True, True, -1, False, False)
CATALOG = Catalog(17, {"postgres": ADMIN}, (), (), {}, {}, (), (), (), (), (), (), (), ())
CAPABLE = admin_capabilities(STACK, CATALOG)
DENIED = "CREATE TABLE x (): 42501 permission denied for table log"


def test_what_a_trigger_refuses_is_said_once() -> None:
    inside = f"{DENIED}, in function log.noted()"
    found = list(blamed(CAPABLE, [trigger()], [said(inside), said("INSERT: allowed", inside)]))
    assert [(each.check, each.subject) for each in found] == [
        ("behaviour", "a_user in schema a"),
        ("event trigger", "event trigger noted"),
    ]
    assert found[0].actual == "INSERT: allowed"
    assert "refused 2 of the statements" in found[1].actual
    assert found[1].remedy.kind == "decision"
    lend = "ALTER FUNCTION log.noted() SECURITY DEFINER SET search_path = pg_catalog, "
    assert found[1].remedy.text.split("\n")[1].startswith(lend)


def test_what_no_trigger_refuses_stays() -> None:
    others = [said(DENIED), said(f"{DENIED}, in function log.other()"), said(f"{DENIED}, in function log.renoted()")]
    assert list(blamed(CAPABLE, [trigger()], others)) == others


def test_a_function_on_the_path_is_named_without_its_schema() -> None:
    [found] = blamed(CAPABLE, [trigger("public.noted()")], [said("DROP TABLE x: P0001 no, in function noted()")])
    assert found.remedy.text == "ALTER EVENT TRIGGER noted DISABLE;"


def test_what_others_may_change_is_found_already() -> None:
    theirs = trigger(changers=["a_user"])
    assert list(blamed(CAPABLE, [theirs], [said(f"{DENIED}, in function log.noted()")])) == []


@pytest.mark.parametrize("name", [name for name in NAMES if hidden(name)])
def test_what_an_owner_is_to_run_names_what_was_found(name: str) -> None:
    owner = replace(ADMIN, name="a_user", superuser=False)
    catalog = replace(CATALOG, roles={"postgres": ADMIN, "a_user": owner})
    judge = _Judge(STACK, catalog, admin_capabilities(STACK, catalog), {})
    remedy = f"ALTER TABLE a.t ALTER COLUMN {quoted(name)} TYPE text"
    ended = judge._end(use("", kind="column", name=quoted(name), remedy=remedy, ranged=True))
    assert ended.text.startswith("as a_user: ALTER TABLE a.t ALTER COLUMN U&")
    assert not hidden(ended.text)


def judging(*views: tuple[str, str]) -> _Judge:
    """With views and what each reads; those that begin with m are materialized."""
    made = (View("a", v, f"a.{v}", "postgres", v.startswith("m"), False, "a", b, f"a.{b}") for v, b in views)
    catalog = replace(CATALOG, views=tuple(made))
    return _Judge(STACK, catalog, admin_capabilities(STACK, catalog), {})


def test_a_view_goes_after_all_that_reads_it_however_many_ways_lead_there() -> None:
    pairs = [(f"{reader}{n + 1}", f"{read}{n}") for n in range(60) for reader in "vm" for read in "vm"]
    dropped = judging(*pairs)._drop(["a.v0"], "postgres").text.splitlines()
    assert dropped[-1] == "DROP VIEW a.v0;"
    assert {each.rpartition(".")[2] for each in dropped[:2]} == {"v60;", "m60;"}
    assert len(dropped) == 121


def test_views_that_read_each_other_go_together() -> None:
    round_about = ("x", "y"), ("y", "z"), ("z", "x"), ("above", "y")
    first, then = judging(*round_about)._drop(["a.x"], "postgres").text.splitlines()
    assert first == "DROP VIEW a.above;"
    assert sorted(then.removeprefix("DROP VIEW ").rstrip(";").split(", ")) == ["a.x", "a.y", "a.z"]
    assert judging(("x", "m"), ("m", "x"))._drop(["a.x"], "postgres").text.splitlines() == [
        "CREATE OR REPLACE VIEW a.x AS SELECT (NULL::a.x).*;",
        "DROP MATERIALIZED VIEW a.m;",
        "DROP VIEW a.x;",
    ]
