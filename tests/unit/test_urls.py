"""Every URL form, letter by letter; `tests/engine` logs in with them."""

from __future__ import annotations

import pytest

from engarde.declaration.address import Address
from engarde.declaration.declared import UrlFormat
from engarde.server.credentials import url

PW = "p4ssw0rd"
REFERENCE = "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"


@pytest.mark.parametrize(
    ("form", "sslmode", "expected"),
    [
        ("plain", None, "postgresql://madansara_user:p4ssw0rd@h:5432/railway"),
        ("plain", "require", "postgresql://madansara_user:p4ssw0rd@h:5432/railway?sslmode=require"),
        (
            "options",
            None,
            "postgresql://madansara_user:p4ssw0rd@h:5432/railway?options=-c%20search_path%3Dmadansara%2Cpublic",
        ),
        (
            "options",
            "require",
            "postgresql://madansara_user:p4ssw0rd@h:5432/railway"
            "?options=-c%20search_path%3Dmadansara%2Cpublic&sslmode=require",
        ),
        ("sqlalchemy+psycopg", None, "postgresql+psycopg://madansara_user:p4ssw0rd@h:5432/railway"),
        (
            "sqlalchemy+psycopg2",
            "require",
            "postgresql+psycopg2://madansara_user:p4ssw0rd@h:5432/railway?sslmode=require",
        ),
        ("sqlalchemy+asyncpg", None, "postgresql+asyncpg://madansara_user:p4ssw0rd@h:5432/railway"),
        (
            "sqlalchemy+asyncpg",
            "require",
            "postgresql+asyncpg://madansara_user:p4ssw0rd@h:5432/railway?ssl=require",
        ),
        ("sqlalchemy+pg8000", None, "postgresql+pg8000://madansara_user:p4ssw0rd@h:5432/railway"),
        ("sqlalchemy+pg8000", "require", "postgresql+pg8000://madansara_user:p4ssw0rd@h:5432/railway"),
        ("node-postgres", None, "postgresql://madansara_user:p4ssw0rd@h:5432/railway"),
        ("node-postgres", "disable", "postgresql://madansara_user:p4ssw0rd@h:5432/railway?sslmode=disable"),
        ("node-postgres", "allow", "postgresql://madansara_user:p4ssw0rd@h:5432/railway?sslmode=disable"),
        (
            "node-postgres",
            "require",
            "postgresql://madansara_user:p4ssw0rd@h:5432/railway?uselibpqcompat=true&sslmode=require",
        ),
        ("prisma", None, "postgresql://madansara_user:p4ssw0rd@h:5432/railway?schema=madansara"),
        (
            "prisma",
            "require",
            "postgresql://madansara_user:p4ssw0rd@h:5432/railway?schema=madansara&uselibpqcompat=true&sslmode=require",
        ),
        ("jdbc", None, "jdbc:postgresql://h:5432/railway?user=madansara_user&password=p4ssw0rd"),
        (
            "jdbc",
            "require",
            "jdbc:postgresql://h:5432/railway?user=madansara_user&password=p4ssw0rd&sslmode=require",
        ),
    ],
)
def test_forms(form: UrlFormat, sslmode: str | None, expected: str) -> None:
    address = Address.model_validate({"host": "h", "sslmode": sslmode})
    assert url(form, address, "railway", "madansara_user", PW, "madansara") == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("fd12::1", "postgresql://r:p4ssw0rd@[fd12::1]:5432/d"),
        (REFERENCE, f"postgresql://r:p4ssw0rd@{REFERENCE}:5432/d"),
    ],
)
def test_hosts(host: str, expected: str) -> None:
    assert url("plain", Address(host=host), "d", "r", PW) == expected


def test_a_login_of_no_schema_has_none_in_its_url() -> None:
    assert url("prisma", Address(host="h"), "d", "r", PW) == f"postgresql://r:{PW}@h:5432/d"


def test_odd_names_are_percent_encoded() -> None:
    assert url("prisma", Address(host="h"), "d", "r", PW, "a&b c").endswith("/d?schema=a%26b%20c")
    assert url("plain", Address(host="h"), "a/b c", "Mä-O'@:user", PW) == (
        "postgresql://M%C3%A4-O%27%40%3Auser:p4ssw0rd@h:5432/a%2Fb%20c"
    )
