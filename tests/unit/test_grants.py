"""The grants of the program: what each gives, with what it goes, and that no two meet on one access list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.mocked import Ran, run
from tests.unit.test_program import CONFIG, DATABASE, TABLES


@pytest.fixture(scope="module")
def ran() -> Ran:
    return run(CONFIG, tables=TABLES)


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
            "analytics-future-tables-sankore-sankore_user",
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


def test_an_admin_that_is_no_superuser_joins_a_role_before_its_schema_is_made() -> None:
    server = {**CONFIG["server"], "user": "adm", "superuser": False}
    found = run({**CONFIG, "server": server, "outsideRoles": {}}, tables=TABLES).resources
    membership = found["madansara-admin"]
    assert membership.type == "postgresql:index/grantRole:GrantRole"
    assert dict(membership.inputs) == {"role": "adm", "grantRole": "madansara_user"}
    assert (membership.deleted_with, membership.ignore_changes) == ("madansara-role", ("withAdminOption",))
    assert "madansara-admin" in found["madansara-schema"].depends_on
    assert "analytics-admin" not in found


def test_a_superuser_joins_no_role(ran: Ran) -> None:
    assert not [name for name, each in ran.resources.items() if each.type.endswith(":GrantRole")]
