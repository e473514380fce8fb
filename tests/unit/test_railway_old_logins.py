"""What a variable's text says of who logs in where."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from engarde.declaration.loader import parse
from engarde.railway.api import Api
from engarde.railway.audit import _Login, _logins, old_logins
from engarde.railway.project import Project, Values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgresql://a:b@h/d", [_Login("a", "b", "h")]),
        ("postgresql+asyncpg://a%40x:b%2Fc@h:6543/d?ssl=1", [_Login("a@x", "b/c", "h", "6543")]),
        ("postgres://a:b@h1:1,h2:2/d", [_Login("a", "b", "h1", "1"), _Login("a", "b", "h2", "2")]),
        ("postgres://a:b@[::1]:7/d postgres://c:d@[::2]/d", [_Login("a", "b", "::1", "7"), _Login("c", "d", "::2")]),
        (
            "postgres://a:b@${{Postgres.HOST}}:${{Postgres.PORT}}/d",
            [_Login("a", "b", "${{Postgres.HOST}}:${{Postgres.PORT}}")],
        ),
        ("jdbc:postgresql://h:1/d?user=a&password=b%26c", [_Login("a", "b&c", "h", "1")]),
        ("host=h port=7 user=a password='b c' dbname=d", [_Login("a", "b c", "h", "7")]),
        ("user=a password=b", [_Login("a", "b", None)]),
        ("redis://[broken", []),
        ("nothing of it", []),
    ],
)
def test_logins(text: str, found: list[_Login]) -> None:
    assert list(_logins(text)) == found


def seen(text: str, service: dict[str, Any], **sections: Any) -> list[str]:
    """The roles of which a variable with this text holds an older login; service `b` is one of the stack, too."""
    services = {"a": service, "b": {}}
    stack = parse(
        "prod", {"server": {"host": "h", "database": "d"}, "services": services, **sections}, {"adminPassword"}
    )
    held: dict[str | None, Values] = {"1": Values({"URL": text}, {"URL": text}), None: Values({}, {})}
    project = Project("p", "e", {}, cast(Any, {"1": SimpleNamespace(name="worker", service_id="1")}), {})
    known = {login.role: "right" for login in stack.logins}
    return [old_login.role for old_login in old_logins(stack, cast(Api, None), project, known, held, ())]


@pytest.mark.parametrize(
    ("role", "service", "found"),
    [
        ("old", {"formerly": "old"}, ["old"]),
        ("old_user", {"formerly": "old"}, ["old_user"]),
        ("a_user", {"formerly": "old"}, []),
        ("old_user", {}, []),
        ("old_user", {"formerly": "old", "role": "old_user"}, []),
    ],
)
def test_a_role_that_has_another_name_by_now(role: str, service: dict[str, Any], found: list[str]) -> None:
    assert seen(f"postgres://{role}:right@h/d", service) == found
    assert seen(f"postgres://{role}:right@elsewhere/d", service) == []


def test_an_outside_role_is_none_of_the_stacks() -> None:
    assert seen("postgres://old:right@h/d", {"formerly": "old"}, outsideRoles={"old": None}) == []
