"""Who is refused a word, and who has one: by what the catalogs say of a role, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.preflight.revocations import Context, Given, Outsider, faults
from engarde.server.catalog import Setting

HERE = Outsider("o", "d", True, True, [], 1, 0, 2, ["pg_monitor"], ["CREATE"], ["public"], [])


def stack(**sections: Any) -> Stack:
    services = {"a": {"adopt": True}, "b": {"database": "own"}}
    return parse(
        "prod", {"server": {"host": "h", "database": "d"}, "services": services, **sections}, {"adminPassword"}
    )


def told(
    declared: Stack, *outsiders: Outsider, label: str | None = None, settings: tuple[Setting, ...] = (), **given: Any
) -> str:
    return "\n".join(faults(restrict_to(declared, label), Given(**given), Context((), outsiders, settings)))


def test_one_that_would_be_shut_out_needs_a_word() -> None:
    said = told(stack(shutOut=["x"]), HERE)
    assert "  o from database d: 1 session, 2 grants, a member of pg_monitor" in said
    assert "engarde:outsideRoles:\n  o:\n    database: [CONNECT, TEMPORARY, CREATE]" in said
    assert "engarde:shutOut: [o, x]" in said


@pytest.mark.parametrize("change", [{"everybody": False}, {"by": ["o"]}, {"by": ["a_user"]}, {"name": "x"}])
def test_one_that_is_not_needs_none(change: dict[str, Any]) -> None:
    assert told(stack(shutOut=["x"]), replace(HERE, **change)) == ""


def test_an_outside_role_has_one_in_every_database() -> None:
    assert told(stack(), HERE, outside=frozenset({"o"})) == ""


def test_a_services_own_database_keeps_nobody() -> None:
    said = told(stack(), replace(HERE, database="own"), label="own")
    assert "outsideRoles" not in said
    assert "as shut out:\nengarde:shutOut: [o]" in said


def test_no_name_writes_a_line_of_its_own() -> None:
    said = told(stack(), replace(HERE, name="o\n  q from database d", through=["\x1b[2J"]))
    assert "\n  q from" not in said
    assert "\x1b" not in said


def test_timeouts_in_words_are_told_with_their_statements() -> None:
    words = {"statement_timeout": "1min", "idle_in_transaction_session_timeout": "soon"}
    found = tuple(Setting("a_user", None, name, value, False) for name, value in words.items())
    assert told(stack(), settings=found).splitlines()[1:3] == [
        '  ALTER ROLE "a_user" SET statement_timeout = 60000;',
        '  ALTER ROLE "a_user" RESET idle_in_transaction_session_timeout;',
    ]
    assert "engarde:services.a.statementTimeout: 60000" in told(stack(), settings=found)
    assert told(stack(), settings=found, roles=frozenset({"a_user"})) == ""
