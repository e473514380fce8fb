"""Which role and which object a text means."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.names import spelled, split
from engarde.errors import EngardeError
from engarde.explain.resolve import Named, NotNamed, role, thing
from engarde.util.unknown import UnknownName
from tests.unit.explained import STACK

ROLES = ("a_user", "b_user", "analytics_readonly", "postgres", "backend", "b", "Ada", 'c"c', "d.d", "PUBLIC")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a", "a_user"),
        ("a_user", "a_user"),
        ("b", "b_user"),
        ('"b"', "b"),
        ("analytics", "analytics_readonly"),
        ("admin", "postgres"),
        ("Ada", "Ada"),
        ('c"c', 'c"c'),
        ('"c""c"', 'c"c'),
        ("d.d", "d.d"),
        ('"d.d"', "d.d"),
        ("public", "public"),
        ("Public", "public"),
        ("PUBLIC", "PUBLIC"),
    ],
)
def test_a_role_is_meant_by_a_word_of_the_tool_or_by_its_name(text: str, meant: str) -> None:
    assert role(STACK, text, ROLES) == meant


def test_a_role_that_is_not_there() -> None:
    with pytest.raises(UnknownName, match="the server of stack prod has no role ada; it has Ada, ") as caught:
        role(STACK, "ada", ROLES)
    assert caught.value.exit_code == 2
    with pytest.raises(NotNamed, match="a's role a_user does not exist yet: run bin/pulumi up --stack prod"):
        role(STACK, "a", ["postgres"])
    with pytest.raises(UnknownName, match="the server of stack prod has no role zzzzzz; it has a, "):
        role(STACK, "zzzzzz", ROLES)


class Server:
    """Answers with the names it knows."""

    named = (
        Named("schema", 1, "schema", None, "s", None, None),
        Named("schema", 2, "schema", None, "railway", None, None),
        Named("database", 3, "database", None, "railway", None, None),
        Named("relation", 4, "table", "s", "t", None, None),
        Named("relation", 5, "view", "S.s", 'T"t', None, None),
        Named("function", 6, "function", "s", "t", "", ""),
        Named("function", 7, "function", "s", "f", "n integer, VARIADIC more text[]", "integer, text[]"),
        Named("function", 8, "function", "s", "f", "x numeric", "numeric"),
        Named("function", 9, "procedure", "s", "g(x)", "OUT y timestamp with time zone", "timestamp with time zone"),
        Named("schema", 10, "schema", None, "table x", None, None),
    )

    def query(self, room: str, kind: type, every: bool, schema: str | None, name: str | None) -> list[Named]:
        assert (room, kind) == ("explain_named", Named)
        return [each for each in self.named if every or (each.schema, each.name) == (schema, name)]


SERVER: Any = Server()


@pytest.mark.parametrize(
    ("text", "oid"),
    [
        ("s", 1),
        ("schema s", 1),
        ("SCHEMA railway", 2),
        ("database railway", 3),
        ("s.t", 4),
        ('"s"."t"', 4),
        ("table s.t", 4),
        ("function s.t", 6),
        ("s.t()", 6),
        ('"S.s"."T""t"', 5),
        ('"S.s".T"t', 5),
        ("s.f(int,  text[])", 7),
        ("s.f(int4, _text)", None),
        ("s.f(n integer, VARIADIC more text[])", 7),
        ("s.f( decimal )", 8),
        ('s."g(x)"', 9),
        ('s."g(x)"(timestamptz)', 9),
        ("table x", 10),
    ],
)
def test_an_object_is_meant_by_its_name(text: str, oid: int | None) -> None:
    if oid is None:
        with pytest.raises(UnknownName, match=r"it has s\.f"):
            thing(SERVER, text)
    else:
        assert thing(SERVER, text).oid == oid


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("railway", "railway is ambiguous; name one of: 'schema railway', 'database railway'"),
        ("s.f", r"name one of: 'function s.f\(integer, text\[\]\)', 'function s.f\(numeric\)'"),
        ("S.T", "the server has no table, sequence, function, schema or database S.T; it has s.t"),
        ("t", "it has s.t, s.t"),
        ("", "has no table"),
        ("a.b.c", "has no table"),
        ('"', "has no table"),
        ("view s.f", "has no table"),
        ("s.t(", "has no table"),
        (")", "has no table"),
    ],
)
def test_an_object_that_is_not_there_or_is_several(text: str, said: str) -> None:
    with pytest.raises(EngardeError, match=said):
        thing(SERVER, text)


@pytest.mark.parametrize("parts", [("a",), ("a", "b"), ("a.b", 'c"d'), ('"', '""."'), ("Ü ü", "x y"), (".", "(")])
def test_a_name_that_is_spelled_is_read_again(parts: tuple[str, ...]) -> None:
    assert split(spelled(*parts)) == parts
