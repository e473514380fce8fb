"""Servers that are not examined."""

from __future__ import annotations

import pytest

from engarde.checks.server import unsupported, without_tls
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.errors import LoginRefused

STACK = restrict_to(
    parse("prod", {"server": {"host": "h", "database": "d", "sslmode": "require"}}, {"adminPassword"}), None
)


@pytest.mark.parametrize("major", range(13, 19))
def test_majors_that_are_supported(major: int) -> None:
    assert unsupported(major) is None


@pytest.mark.parametrize("major", [12, 19])
def test_majors_that_are_not(major: int) -> None:
    found = unsupported(major)
    assert found is not None
    assert (found.expected, found.actual) == ("PostgreSQL 13 to 18", f"PostgreSQL {major}, which was not checked")


def test_a_refusal_for_want_of_tls_and_any_other() -> None:
    refusal = LoginRefused(
        "h", 'connection to server at "h", port 5432 failed: server does not support SSL, but SSL was required'
    )
    found = without_tls(STACK, refusal)
    assert found is not None
    assert "sslmode is require" in found.expected
    assert without_tls(STACK, LoginRefused("h", "password authentication failed")) is None
