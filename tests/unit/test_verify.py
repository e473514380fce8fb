"""The parts of verify that need no server."""

import math

import pytest

from engarde.checks.indirect_access import _bases
from engarde.checks.naming import some
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.parameters import milliseconds, split_path
from engarde.output.findings import Notice
from engarde.server.catalog import View
from engarde.server.credentials import scram_matches, scram_verifier
from engarde.verify.report import Cell, Row
from engarde.verify.run import _about, _concerns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("9000", 9000),
        ("30s", 30_000),
        ("1min", 60_000),
        ("1.5 h", 5_400_000),
        ("500us", 0.5),
        ("2d", 172_800_000),
        ("9e3", 9000),
        ("0x2328", 9000),
    ],
)
def test_timeouts_are_read_as_the_server_reads_them(text: str, expected: float) -> None:
    assert milliseconds(text) == expected


def test_what_is_no_timeout_equals_none() -> None:
    assert math.isnan(milliseconds("soon"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("madansara, public", ("madansara", "public")),
        ("Madansara,PUBLIC", ("madansara", "public")),
        ('"Mixed Case", public', ("Mixed Case", "public")),
        ('"a,b", "c""d",e', ("a,b", 'c"d', "e")),
        ("", ()),
        ('"$user", public', ("$user", "public")),
    ],
)
def test_a_search_path_is_split_as_the_server_splits_it(text: str, expected: tuple[str, ...]) -> None:
    assert split_path(text) == expected


def test_a_verifier_matches_its_password_alone() -> None:
    stored = scram_verifier("right", b"sixteen bytes of", 1000)
    assert scram_matches("right", stored)
    assert not scram_matches("wrong", stored)
    assert not scram_matches("right", "md5" + "0" * 32)
    assert not scram_matches("right", "")


def test_a_view_reads_through_others_and_may_read_itself() -> None:
    def view(name: str, base_schema: str, base: str) -> View:
        return View(
            "public", name, f"public.{name}", "postgres", False, False, base_schema, base, f"{base_schema}.{base}"
        )

    views = {
        ("public", "a"): [view("a", "public", "b"), view("a", "public", "t")],
        ("public", "b"): [view("b", "madansara", "things"), view("b", "public", "a")],
    }
    assert _bases(("public", "a"), views) == {
        ("public", "a"),
        ("public", "b"),
        ("public", "t"),
        ("madansara", "things"),
    }


def test_a_long_subject_names_the_first_few() -> None:
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]).startswith("a, b, c and 2 more (")
    assert some(["a", "b", "c", "d", "e"]) != some(["a", "b", "c", "d", "f"])


def row(role: str, **access: str) -> Row:
    return Row(role, tuple(Cell(schema, may.rstrip("!"), not may.endswith("!")) for schema, may in access.items()))


def test_of_one_service_there_is_its_row_and_its_schemas_column() -> None:
    services = {"a": {"schema": "as", "role": "ar"}, "b": None, "c": None}
    declared = parse("prod", {"server": {"host": "h", "database": "d"}, "services": services}, {"adminPassword"})
    stack = restrict_to(declared, None)
    rows = (
        row("ar", **{"as": "owns", "b": "reads 1", "c": "-"}),
        row("b_user", **{"as": "-", "b": "owns", "c": "reads 1"}),
        row("c_user", **{"as": "enters", "b": "-", "c": "owns"}),
        row("stranger", **{"as": "-!", "b": "-", "c": "owns"}),
    )
    assert _about(stack, None, rows) == rows
    assert _about(stack, "a", rows) == (rows[0], row("c_user", **{"as": "enters"}), row("stranger", **{"as": "-!"}))
    # In a database that it is not in, nothing is.
    assert _about(stack, "a", (row("b_user", b="owns"),)) == ()
    concerned = [frozenset({"ar"}), frozenset({"as", "b"}), frozenset({"b", "b_user"}), frozenset[str]()]
    assert [_concerns(declared, "a", Notice("x", about)) for about in concerned] == [True, True, False, True]
    assert all(_concerns(declared, None, Notice("x", about)) for about in concerned)
