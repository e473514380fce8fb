"""With several databases: whose credentials lead where, what goes to Railway, and which databases manage a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from engarde.declaration.databases import databases, display_name, find, managing, of_login
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError, Refused
from engarde.pulumi_cli.logins import access, login_of_admin
from engarde.pulumi_cli.state import Outputs
from engarde.railway.planning import desired_variables

THERE = {"host": "other.example", "port": 5433, "database": "railway", "serviceAddress": {"host": "cs.internal"}}
ANALYTICS = {
    "railway": {
        "service": "metabase",
        "variables": {"SHARED_URL": {}, "BS_URL": {"database": "bs"}, "CS_URL": {"database": "cs", "unpooled": True}},
    }
}
OUTPUTS = Outputs(
    {
        "b": "postgresql://b_user:pw-b@db.internal:5432/bs",
        "c": "postgresql://c_user:pw-c@cs.internal:5432/railway",
    },
    "postgresql://analytics_readonly:pw-x@db.internal:5432/railway",
    {"b_user": "pw-b", "c_user": "pw-c", "analytics_readonly": "pw-x"},
    {
        "railway": "postgresql://analytics_readonly:pw-x@db.internal:5432/railway",
        "bs": "postgresql://analytics_readonly:pw-x@db.internal:5432/bs",
        "cs": "postgresql://analytics_readonly:pw-x@cs.internal:5432/railway",
    },
)


def stack(**sections: Any) -> Stack:
    return parse(
        "prod",
        {
            "server": {"host": "proxy.example", "database": "railway"},
            "serviceAddress": {"host": "db.internal"},
            "databases": {"cs": {**THERE, "unpooledAddress": {"host": "cs.direct"}}},
            "adminPasswords": {"cs": {"secure": "v1:AAAA"}},
            "services": {"b": {"database": "bs"}, "c": {"database": "cs"}},
            "analytics": ANALYTICS,
            "railway": {"project": "p", "environment": "e"},
            **sections,
        },
        {"adminPassword"},
    )


@pytest.fixture(autouse=True)
def _engine() -> Iterator[None]:
    def password(_stack: str, database: str | None = None) -> str:
        return f"pw-of-{database or 'shared'}"

    with (
        patch("engarde.pulumi_cli.logins.outputs", return_value=OUTPUTS),
        patch("engarde.railway.planning.outputs", return_value=OUTPUTS),
        patch("engarde.pulumi_cli.logins.admin_password", side_effect=password),
    ):
        yield


def test_a_services_login_leads_to_its_own_database() -> None:
    assert access(stack(), "b").url == "postgresql://b_user:pw-b@proxy.example:5432/bs"
    assert access(stack(), "c").url == "postgresql://c_user:pw-c@other.example:5433/railway"
    assert access(stack(), "c", "service").url == "postgresql://c_user:pw-c@cs.internal:5432/railway"
    with pytest.raises(ConfigError, match="b does not use database railway"):
        access(stack(), "b", database="railway")


def test_analytics_and_the_admin_go_wherever_they_are_told() -> None:
    assert access(stack(), "analytics").database == "railway"
    assert access(stack(), "analytics", database="bs").url.endswith("@proxy.example:5432/bs")
    assert access(stack(), "admin").password == access(stack(), "admin", database="bs").password == "pw-of-shared"
    assert access(stack(), "admin", database="cs").url == "postgresql://postgres:pw-of-cs@other.example:5433/railway"
    with pytest.raises(ConfigError, match="no database ds; it has railway, bs, cs"):
        access(stack(), "admin", database="ds")
    with pytest.raises(ConfigError, match="analytics does not use database cs"):
        access(stack(analytics={"schemas": ["b"]}), "analytics", database="cs")


def test_the_admins_login_leads_to_each_database() -> None:
    assert [login_of_admin(database).database for database in databases(stack())] == ["railway", "bs", "railway"]


def test_the_database_of_a_login_and_those_that_manage_a_role() -> None:
    declared = stack()
    assert [display_name(of_login(declared, word)) for word in ("b", "b_user", "c", "analytics", "x")] == [
        "bs",
        "bs",
        "cs",
        "railway",
        "railway",
    ]
    assert [display_name(database) for database in managing(declared, "b_user")] == ["bs"]
    assert [display_name(database) for database in managing(declared, "analytics_readonly")] == ["railway", "cs"]
    assert find(declared, None).label is None


def test_railway_gets_the_urls_that_lead_there() -> None:
    urls = {
        (desired_variable.service, desired_variable.variable): desired_variable.url
        for desired_variable in desired_variables(stack())
    }
    assert urls == {
        ("b", "DATABASE_URL"): OUTPUTS.database_urls["b"],
        ("c", "DATABASE_URL"): OUTPUTS.database_urls["c"],
        ("metabase", "SHARED_URL"): OUTPUTS.analytics_url,
        ("metabase", "BS_URL"): OUTPUTS.analytics_urls["bs"],
        ("metabase", "CS_URL"): "postgresql://analytics_readonly:pw-x@cs.direct:5432/railway",
    }


def test_what_was_moved_in_the_file_alone_is_not_delivered() -> None:
    with pytest.raises(Refused, match="the URL of b was edited in the stack file"):
        desired_variables(stack(services={"b": None, "c": {"database": "cs"}}, analytics={}), ["b"])


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        (
            {"services": {"b": {"database": "bs", "railway": {"variables": {"X": {"database": "bs"}}}}}},
            "services.b.railway.variables.X.database: is only for analytics",
        ),
        ({"analytics": {**ANALYTICS, "schemas": ["b"]}}, "analytics.railway.variables.CS_URL.database: is only for"),
    ],
)
def test_a_variable_that_leads_nowhere_is_a_fault(sections: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        stack(**sections)
    assert f"engarde:{fault}" in str(raised.value)
