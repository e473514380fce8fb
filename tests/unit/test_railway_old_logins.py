"""What a variable's text says of who logs in where."""

from __future__ import annotations

import pytest

from engarde.railway.old_logins import _Login, _logins


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
