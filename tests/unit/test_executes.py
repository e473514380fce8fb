"""Declared calls of functions: how they are written, and what the program does where they come and go."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.grants import Execute, parts_of_function
from engarde.declaration.loader import parse
from engarde.errors import ConfigError
from engarde.server.functions import Function, Functions
from tests.unit.mocked import Ran, run

SERVER = {"host": "h", "database": "railway"}
NAME = "madansara-executes-public.f(integer)"


def declared(*calls: Any) -> Any:
    sections = {"services": {"a": {"executes": list(calls)}, "b": None}, "existingSchemas": {"public": None}}
    return parse("s", {"server": SERVER, **sections}, {"adminPassword"})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("public.f()", ("public", "f", "")),
        ("public.f(int, double precision)", ("public", "f", "int, double precision")),
        ('public."Odd.Name"( timestamp with time zone )', ("public", "Odd.Name", "timestamp with time zone")),
        ('b.f(public."My, Type"[],x.y [] [])', ("b", "f", 'public."My, Type"[],x.y [] []')),
    ],
)
def test_a_function_is_named_by_schema_name_and_types(text: str, parts: tuple[str, str, str]) -> None:
    assert parts_of_function(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "f(integer)",
        "public.f",
        "public.f(",
        "public.f(integer",
        "public.f(numeric(10, 2))",
        'public."f("(integer)',
        "public.f(integer,)",
        "public.f(integer); DROP TABLE x",
        "public.f(integer) TO PUBLIC",
        "public.f(a b; c)",
        "public.f('a')",
        'public.f("unclosed)',
    ],
)
def test_what_names_no_function_is_a_fault(text: str) -> None:
    assert parts_of_function(text) is None
    with pytest.raises(ConfigError, match=r"services\.a\.executes\[0\]: not of the form schema\.function\(types\)"):
        declared(text)


def test_every_fault_is_told_in_one_run() -> None:
    with pytest.raises(ConfigError) as caught:
        declared("a.own(int)", "public.f(int)", "nowhere.f()", "public.f(int)", 3)
    told = str(caught.value)
    for each in (
        "executes[0]: is in the service's own schema, which needs no declaration",
        "executes[2]: its schema is not declared",
        "executes[1]: is listed twice",
        "executes[4]: not of the form",
    ):
        assert f"engarde:services.a.{each}" in told


def function(oid: int = 7) -> Functions:
    """As the server has it, under the declaration's words."""
    found = Function(oid, "public", "f", "integer", "public.f(n integer)", "postgres", True)
    return dict.fromkeys((execute("int"), execute("integer")), found)


def execute(types: str) -> Execute:
    return Execute(schema="public", function="f", types=types)


def in_state(*released: str) -> dict[str, Any]:
    urn = "urn:pulumi:local::engarde::{}::{}".format
    grant = {
        "role": "madansara_user",
        "database": "railway",
        "schema": "public",
        "objectType": "routine",
        "objects": ["f(integer)"],
        "privileges": ["EXECUTE"],
    }
    return {
        urn("engarde:index:ServiceTenant$postgresql:index/grant:Grant", NAME): {
            "type": "postgresql:index/grant:Grant",
            "outputs": grant,
        },
        urn("engarde:index:ServiceTenant", "madansara"): {
            "type": "engarde:index:ServiceTenant",
            "outputs": {"released": list(released)},
        },
    }


def up(functions: Functions, state: dict[str, Any], *calls: str) -> Ran:
    services = {"madansara": {"executes": list(calls)}}
    config = {"server": SERVER, "services": services, "existingSchemas": {"public": None}}
    return run(config, functions=functions, state=state)


def test_it_is_granted_in_the_servers_words_and_once() -> None:
    ran = up(function(), {}, "public.f(int)", "public.f(integer)")
    granted = ran.resources[NAME].inputs
    assert (granted["objectType"], granted["objects"], granted["privileges"]) == (
        "routine",
        ["f(integer)"],
        ["EXECUTE"],
    )
    assert ran.warnings == []


def test_what_is_missing_is_left_out_with_a_warning() -> None:
    ran = up({}, {}, "public.f(int)")
    assert NAME not in ran.resources
    assert "the declared call public.f(int) does not exist yet" in ran.warnings[0]


def test_what_vanishes_is_marked_and_then_let_go_of() -> None:
    marked = up({}, in_state(), "public.f(integer)")
    assert marked.resources[NAME].retain_on_delete
    assert marked.outputs["madansara"]["released"] == [NAME]
    left = up({}, in_state(NAME), "public.f(integer)")
    assert NAME not in left.resources
    assert "does not exist yet" in left.warnings[0]


def test_what_is_back_before_it_was_let_go_of_is_granted_by_the_run_after() -> None:
    ran = up(function(), in_state(NAME), "public.f(integer)")
    assert NAME not in ran.resources
    assert "the declared call public.f(integer) exists again" in ran.warnings[0]
