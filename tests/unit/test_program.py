"""The whole program under mocks: which resources, with which options, and which exports."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.server.credentials import scram_salt, scram_verifier
from tests.unit.mocked import Ran, run

CONFIG: dict[str, Any] = {
    "server": {"host": "db.example", "port": 5433, "database": "railway", "sslmode": "require"},
    "serviceAddress": {"host": "db.internal"},
    "services": {
        "madansara": {
            "reads": ["public.users", {"table": "public.brands", "columns": ["id"]}, "sankore.articles"],
            "statementTimeout": 30000,
        },
        "sankore": None,
    },
    "existingSchemas": {"public": {"service": "production-backend", "creators": ["postgres", "backend"]}},
    "analytics": {},
    "extensions": {"pg_stat_statements": None},
    "outsideRoles": {"backend": {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
TABLES = frozenset({("public", "users"), ("public", "brands"), ("sankore", "articles")})
DATABASE = {"database": "railway"}


@pytest.fixture(scope="module")
def ran() -> Ran:
    return run(CONFIG, tables=TABLES)


def test_provider_has_the_admin_and_its_password(ran: Ran) -> None:
    assert ran.resources["database-admin"].secret_inputs == {"password"}
    assert ran.resources["database-admin"].inputs == {
        "host": "db.example",
        "port": "5433",
        "database": "railway",
        "username": "postgres",
        "password": "admin-password",
        "sslmode": "require",
        "superuser": "true",
        "connectTimeout": "15",
    }


def test_a_service_has_a_password_of_32_letters_and_digits_that_its_rotation_keeps(ran: Ran) -> None:
    password = ran.resources["madansara-password"]
    assert (password.type, password.parent) == ("random:index/randomPassword:RandomPassword", "madansara")
    assert password.inputs == {"length": 32, "special": False, "keepers": {"rotation": "1"}}


def test_the_role_logs_in_and_nothing_else_and_gets_a_verifier(ran: Ran) -> None:
    inputs = dict(ran.resources["madansara-role"].inputs)
    salt = scram_salt("engarde", "local", "madansara_user", 1)
    assert ran.resources["madansara-role"].secret_inputs == {"password"}
    assert inputs.pop("password") == scram_verifier("generated-for-madansara-password", salt)
    assert inputs == {
        "name": "madansara_user",
        "login": True,
        "connectionLimit": 10,
        "searchPaths": ["madansara", "public"],
        "statementTimeout": 30000,
        "idleInTransactionSessionTimeout": 60000,
    }


def test_the_schema_is_owned_by_the_role(ran: Ran) -> None:
    schema = ran.resources["madansara-schema"]
    assert schema.inputs == {"name": "madansara", "owner": "madansara_user", **DATABASE}
    assert "madansara-role" in schema.depends_on


def test_every_child_belongs_to_its_component(ran: Ran) -> None:
    components = {n: r for n, r in ran.resources.items() if r.type.startswith("engarde:index:")}
    assert {n: r.type.removeprefix("engarde:index:") for n, r in components.items()} == {
        "database": "SharedDatabase",
        "madansara": "ServiceTenant",
        "sankore": "ServiceTenant",
        "analytics": "AnalyticsReader",
    }
    children = [r for n, r in ran.resources.items() if n not in components]
    assert children
    assert all(r.parent in components and r.name.startswith((r.parent, "outside-")) for r in children)
    assert ran.outputs.keys() >= components.keys(), "register_outputs completes each component"


def test_exported_urls_are_secret_and_hold_the_generated_password(ran: Ran) -> None:
    for export in ("database_urls", "analytics_url", "passwords"):
        assert ran.is_secret(export), export
    assert not ran.is_secret("services")
    assert ran.value("database_urls") == {
        name: f"postgresql://{name}_user:generated-for-{name}-password@db.internal:5432/railway"
        for name in ("madansara", "sankore")
    }
    assert ran.value("analytics_url") == (
        "postgresql://analytics_readonly:generated-for-analytics-password@db.internal:5432/railway"
    )
    assert ran.value("passwords") == {
        "madansara_user": "generated-for-madansara-password",
        "sankore_user": "generated-for-sankore-password",
        "analytics_readonly": "generated-for-analytics-password",
    }


def test_services_are_exported_in_clear_without_a_secret(ran: Ran) -> None:
    assert ran.value("services") == {
        "madansara": {
            "schema": "madansara",
            "role": "madansara_user",
            "connectionLimit": 10,
            "reads": ["public.users", "public.brands(id)", "sankore.articles"],
        },
        "sankore": {"schema": "sankore", "role": "sankore_user", "connectionLimit": 10, "reads": []},
    }
