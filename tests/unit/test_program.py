"""The whole program under mocks: which resources, with which options, and which exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from engarde import scram
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


def changed(**sections: Any) -> dict[str, Any]:
    return {**CONFIG, **sections}


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
    salt = scram.salt("engarde", "local", "madansara_user", 1)
    assert ran.resources["madansara-role"].secret_inputs == {"password"}
    assert inputs.pop("password") == scram.verifier("generated-for-madansara-password", salt)
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


@pytest.mark.parametrize(
    ("name", "inputs", "deleted_with"),
    [
        (
            "madansara-connect",
            {"role": "madansara_user", "objectType": "database", "privileges": ["CONNECT", "TEMPORARY"]},
            "madansara-role",
        ),
        (
            "madansara-no-public-execute",
            {"role": "public", "owner": "madansara_user", "objectType": "function", "privileges": []},
            "madansara-role",
        ),
        (
            "madansara-reads-public.users",
            {
                "role": "madansara_user",
                "schema": "public",
                "objectType": "table",
                "objects": ["users"],
                "privileges": ["SELECT"],
            },
            "madansara-role",
        ),
        (
            "madansara-reads-public.brands",
            {
                "role": "madansara_user",
                "schema": "public",
                "objectType": "column",
                "objects": ["brands"],
                "columns": ["id"],
                "privileges": ["SELECT"],
            },
            "madansara-role",
        ),
        (
            "madansara-usage-sankore",
            {"role": "madansara_user", "schema": "sankore", "objectType": "schema", "privileges": ["USAGE"]},
            "madansara-role",
        ),
        (
            "analytics-connect",
            {"role": "analytics_readonly", "objectType": "database", "privileges": ["CONNECT"]},
            "analytics-role",
        ),
        (
            "analytics-usage-sankore",
            {"role": "analytics_readonly", "schema": "sankore", "objectType": "schema", "privileges": ["USAGE"]},
            "sankore-schema",
        ),
        (
            "analytics-tables-sankore",
            {"role": "analytics_readonly", "schema": "sankore", "objectType": "table", "privileges": ["SELECT"]},
            "sankore-schema",
        ),
        (
            "analytics-sequences-public",
            {"role": "analytics_readonly", "schema": "public", "objectType": "sequence", "privileges": ["SELECT"]},
            "analytics-role",
        ),
        (
            "analytics-future-tables-sankore",
            {
                "role": "analytics_readonly",
                "schema": "sankore",
                "owner": "sankore_user",
                "objectType": "table",
                "privileges": ["SELECT"],
            },
            "sankore-schema",
        ),
        (
            "analytics-future-sequences-public-backend",
            {
                "role": "analytics_readonly",
                "schema": "public",
                "owner": "backend",
                "objectType": "sequence",
                "privileges": ["SELECT"],
            },
            "analytics-role",
        ),
    ],
)
def test_grants(ran: Ran, name: str, inputs: dict[str, Any], deleted_with: str) -> None:
    found = ran.resources[name]
    assert found.inputs == {**inputs, **DATABASE}
    assert found.deleted_with == deleted_with
    assert found.delete_before_replace
    assert not found.retain_on_delete


def test_nothing_is_granted_on_public_that_public_has(ran: Ran) -> None:
    assert not {"madansara-usage-public", "analytics-usage-public"} & ran.resources.keys()


def test_the_baseline_and_outside_roles_outlive_the_stack(ran: Ran) -> None:
    kept = {name: r.inputs for name, r in ran.resources.items() if r.retain_on_delete and "role" in r.inputs}
    assert kept == {
        "database-public-connect": {"role": "public", "objectType": "database", "privileges": [], **DATABASE},
        "database-public-usage-public": {
            "role": "public",
            "objectType": "schema",
            "schema": "public",
            "privileges": ["USAGE"],
            **DATABASE,
        },
        "outside-backend-connect": {
            "role": "backend",
            "objectType": "database",
            "privileges": ["CONNECT", "TEMPORARY"],
            **DATABASE,
        },
        "outside-backend-usage-public": {
            "role": "backend",
            "objectType": "schema",
            "schema": "public",
            "privileges": ["USAGE", "CREATE"],
            **DATABASE,
        },
    }


def test_public_loses_connect_only_after_every_role_has_its_own(ran: Ran) -> None:
    connects = {name for name in ran.resources if name.endswith("-connect")} - {"database-public-connect"}
    assert len(connects) == 4
    assert connects <= ran.resources["database-public-connect"].depends_on


def test_an_extension_outlives_the_stack(ran: Ran) -> None:
    extension = ran.resources["database-extension-pg_stat_statements"]
    assert extension.inputs == {"name": "pg_stat_statements", "schema": "public", **DATABASE}
    assert extension.retain_on_delete


def waits_for(ran: Ran, name: str) -> set[str]:
    direct = ran.resources[name].depends_on & ran.resources.keys()
    return set(direct).union(*(waits_for(ran, other) for other in direct))


def touched(inputs: Mapping[str, Any]) -> set[str]:
    """The catalog objects whose rows the grant's statements write or lock."""
    owners = {"madansara": "madansara_user", "sankore": "sankore_user"}
    schema = inputs.get("schema")
    return {
        *([f"schema {schema}"] if schema else []),
        *([f"role {owners[schema]}"] if schema in owners else []),
        *([f"role {inputs['owner']}"] if "owner" in inputs else []),
    }


def test_one_resource_at_a_time_touches_an_access_list(ran: Ran) -> None:
    grants = {n: touched(r.inputs) for n, r in ran.resources.items() if "privileges" in r.inputs}
    pairs = [(a, b) for a in grants for b in grants if a < b and grants[a] & grants[b]]
    assert len(pairs) > 20
    assert not [(a, b) for a, b in pairs if a not in waits_for(ran, b) and b not in waits_for(ran, a)]


def test_nothing_touches_a_schema_or_its_owner_before_they_are_made(ran: Ran) -> None:
    for name, resource in ran.resources.items():
        if "privileges" in resource.inputs and "role sankore_user" in touched(resource.inputs):
            assert "sankore-schema" in waits_for(ran, name), name


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


def test_a_higher_rotation_changes_the_password_and_the_salt_of_one_service() -> None:
    rotated = run(changed(services={"madansara": {"rotation": 2}, "sankore": None}))
    assert rotated.resources["madansara-password"].inputs["keepers"] == {"rotation": "2"}
    assert rotated.resources["sankore-password"].inputs["keepers"] == {"rotation": "1"}
    salt = scram.salt("engarde", "local", "madansara_user", 2)
    assert rotated.resources["madansara-role"].inputs["password"] == scram.verifier(
        "generated-for-madansara-password", salt
    )


def test_protect_covers_roles_and_schemas_where_the_stack_says_so() -> None:
    server = {**CONFIG["server"], "protect": True}
    services = {"madansara": None, "sankore": {"protect": False}}
    protected = {n for n, r in run(changed(server=server, services=services)).resources.items() if r.protect}
    assert protected == {"madansara-role", "madansara-schema", "analytics-role"}


def test_adopt_and_a_killed_run_take_over_roles_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGARDE_TAKE_OVER", '["sankore_user"]')
    ran = run(changed(services={"madansara": {"adopt": True}, "sankore": None}))
    assert {n: r.import_id for n, r in ran.resources.items() if r.import_id} == {
        "madansara-role": "madansara_user",
        "sankore-role": "sankore_user",
    }


def test_other_databases_are_closed_to_public_where_the_stack_says_so() -> None:
    ran = run(changed(server={**CONFIG["server"], "closeOtherDatabases": True}))
    closed = {n: r.inputs["database"] for n, r in ran.resources.items() if n.startswith("database-public-connect")}
    assert closed == {
        "database-public-connect": "railway",
        "database-public-connect-postgres": "postgres",
        "database-public-connect-template1": "template1",
    }


def test_faults_end_the_program_before_any_resource() -> None:
    with pytest.raises(pulumi.RunError, match=r"engarde:server\.host: missing"):
        run({"services": {"madansara": None}})


def test_an_empty_stack_exports_empty_maps() -> None:
    ran = run({"server": CONFIG["server"]})
    assert (ran.value("database_urls"), ran.value("passwords"), ran.value("services")) == ({}, {}, {})
    assert ran.value("analytics_url") is None
    assert ran.is_secret("analytics_url")
