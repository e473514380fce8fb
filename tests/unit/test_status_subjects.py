"""Whose each schema and each role is: every one of one service at most."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError
from engarde.status.statement_stats import _declare
from engarde.status.subjects import chosen, of_roles, of_schemas, subjects


def stack(**sections: Any) -> Stack:
    return parse("prod", {"server": {"host": "h", "database": "d"}, **sections}, {"adminPassword"})


SECTIONS: dict[str, Any] = {
    "services": {"a": None, "b": {"schema": "B", "role": "bee"}},
    "existingSchemas": {
        "public": {"service": "backend", "creators": ["postgres", "app"]},
        "old": {"service": "a", "creators": ["app", "a_user", "legacy"]},
        "nobodys": {"creators": ["postgres"]},
    },
    "analytics": {"status": {"connections": 50}},
    "status": {"connections": 80},
}


def test_each_role_and_each_schema_is_of_one() -> None:
    found = {
        subject.name: (subject.schemas, subject.roles) for subject in subjects(restrict_to(stack(**SECTIONS), None))
    }
    assert found == {
        "a": (("a", "old"), ("a_user", "legacy")),
        "b": (("B",), ("bee",)),
        "backend": (("public",), ("postgres", "app")),
        "nobodys": (("nobodys",), ()),
        "analytics": ((), ("analytics_readonly",)),
    }
    every = subjects(restrict_to(stack(**SECTIONS), None))
    assert of_roles(every)["app"] == "backend"
    assert of_schemas(every)["old"] == "a"
    assert {each.name: each.thresholds.connections for each in every}["analytics"] == 50
    assert {each.name: each.thresholds.connections for each in every}["backend"] == 80


def test_one_by_its_name() -> None:
    assert [each.name for each in chosen(restrict_to(stack(**SECTIONS), None), "b")] == ["b"]
    assert len(chosen(restrict_to(stack(**SECTIONS), None), None)) == 5
    with pytest.raises(ConfigError, match="stack prod has no service x; it has a, b, backend, nobodys, analytics"):
        chosen(restrict_to(stack(**SECTIONS), None), "x")


def test_an_extension_is_declared_for_the_database_that_lacks_it() -> None:
    declared = stack(services={"a": {"database": "own"}, "b": None})
    assert _declare(restrict_to(declared, None)).text == "engarde:extensions: {pg_stat_statements: null}"
    own = _declare(restrict_to(declared, "own")).text.splitlines()
    assert own == [
        "engarde:extensions:",
        "  pg_stat_statements:",
        "    databases: [own]",
    ]
    beside = stack(services={"a": {"database": "own"}}, extensions={"vector": None})
    assert _declare(restrict_to(beside, None)).text.endswith("null}  # beside the extensions that are there")
    named = stack(services={"a": {"database": "own"}}, extensions={"pg_stat_statements": None})
    assert _declare(restrict_to(named, "own")).text.endswith("# beside the databases that it names already")
