"""Roles that are shut out on purpose: what a stack file may say of them."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.loader import parse
from engarde.errors import ConfigError

STACK: dict[str, Any] = {
    "server": {"host": "h", "database": "d", "user": "root"},
    "services": {"a": None, "b": {"database": "there"}},
    "databases": {"there": {"host": "o", "user": "other"}},
    "adminPasswords": {"there": {"secure": "v1:AAAA"}},
    "analytics": {},
    "outsideRoles": {"kept": None},
}


def faults(stated: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse("prod", {**STACK, "shutOut": stated}, {"adminPassword"})
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_roles_outside_of_the_stack_stand_there() -> None:
    assert parse("prod", {**STACK, "shutOut": ["x", "y"]}, {"adminPassword"}).shut_out == ("x", "y")
    for bare in ("", None, ()):
        assert parse("prod", {**STACK, "shutOut": bare}, {"adminPassword"}).shut_out == ()


def test_nobody_else() -> None:
    found = faults(["a_user", "analytics_readonly", "root", "other", "kept", "fine"])
    assert [each.split(": ")[0] for each in found] == [f"engarde:shutOut[{place}]" for place in range(5)]
    assert faults(["x", "x"]) == ["engarde:shutOut: has the same item twice; allowed: a list of roles"]
    assert faults({"x": None}) == ["engarde:shutOut: must be a list; allowed: a list of roles"]
    assert faults(["pg_monitor"])[0].startswith("engarde:shutOut[0]: ")
