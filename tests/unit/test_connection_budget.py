"""Limits that fit into what the server has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from engarde.checks.connection_budget import budget, lowered, needed
from engarde.declaration.databases import databases, find
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.doctor.causes.connection_limits import PROMISED
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer
from engarde.status.report import _server

SETTINGS = {"max_connections": "100", "superuser_reserved_connections": "3"}
OTHER = {"databases": {"far": {"host": "far.example"}}, "adminPasswords": {"far": {"secure": "v1:AAAA"}}}


def stack(services: dict[str, Any], **sections: Any) -> Stack:
    return parse(
        "prod", {"server": {"host": "h", "database": "railway"}, "services": services, **sections}, {"adminPassword"}
    )


def in_two_databases(limit: int, **sections: Any) -> Stack:
    limited = {"connectionLimit": limit}
    return stack({"a": {**limited, "database": "as"}, "b": {**limited, "database": "bs"}}, **sections)


def promised(declared: Stack, database: str) -> Answer:
    """What the doctor says of the limits, to whom the error is one in this database."""
    observed = SimpleNamespace(settings=lambda *names: SETTINGS)
    facts = SimpleNamespace(stack=find(declared, database), observed=observed)
    return PROMISED.answer(cast(Facts, facts))


def test_the_largest_counts_twice() -> None:
    assert needed({"a": 10, "b": 5}) == 25


@pytest.mark.parametrize(
    ("limits", "room", "fitting"),
    [
        ({"a": 10, "b": 5}, 25, {"a": 10, "b": 5}),
        ({"a": 10, "b": 5}, 24, {"a": 9, "b": 5}),
        ({"a": 10, "b": 5}, 12, {"a": 4, "b": 4}),
        ({"a": 10, "b": 5}, 3, {"a": 1, "b": 1}),
        ({"a": 10, "b": 5}, 2, None),
    ],
)
def test_what_is_taken_is_taken_from_the_largest(
    limits: dict[str, int], room: int, fitting: dict[str, int] | None
) -> None:
    assert lowered(limits, room) == fitting


@pytest.mark.parametrize("database", ["railway", "as", "bs"])
def test_a_server_answers_for_the_limits_in_all_of_its_databases(database: str) -> None:
    answer = promised(in_two_databases(60), database)
    assert answer.mark == "confirmed"
    assert answer.because.startswith("the connection limits add up to 120; the server has 97 for all roles; ")
    answer = promised(in_two_databases(48), database)
    assert (answer.mark, answer.because) == (
        "ruled out",
        "the connection limits add up to 96; the server has 97 for all roles",
    )


def test_another_server_answers_for_its_own_database_alone() -> None:
    declared = stack(
        {"a": {"connectionLimit": 60}, "c": {"connectionLimit": 60, "database": "far"}},
        analytics={"schemas": ["c"], "connectionLimit": 20},
        **OTHER,
    )
    assert [budget(database.server_stack, SETTINGS).limits for database in databases(declared)] == [
        {"a_user": 60, "analytics_readonly": 20},
        {"c_user": 60, "analytics_readonly": 20},
    ]


def test_what_suffices_depends_on_the_others_and_on_a_rotation() -> None:
    [database] = databases(stack({"a": {"connectionLimit": 40}}))
    found = budget(database.server_stack, SETTINGS | {"reserved_connections": "2"})
    assert found.available == 95
    assert found.suffices(55)
    assert not found.suffices(56)
    assert found.suffices(15, rotating=True)
    assert not found.suffices(16, rotating=True)


def test_a_server_without_logins_suffices() -> None:
    [database] = databases(stack({}))
    assert budget(database.server_stack, SETTINGS).suffices(200, rotating=True)


def test_status_sets_the_limits_of_all_databases_against_the_servers_connections() -> None:
    declared = in_two_databases(30)
    names = [*SETTINGS, "reserved_connections"]
    sessions = [SimpleNamespace(role=role, blockers=None) for role in ("a_user", "b_user", "backend")]
    found = SimpleNamespace(
        settings={name: SimpleNamespace(value=SETTINGS.get(name)) for name in names},
        activity=SimpleNamespace(sessions=sessions),
        server=None,
        database_size=1,
        slots=(),
    )
    told = _server(find(declared, "as"), cast(Any, found), {"a_user": "a"})
    assert (told.budget, told.allocated, told.used_by_stack, told.others) == (97, 60, 2, {"backend": 1})
