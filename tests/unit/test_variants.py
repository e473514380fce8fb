"""What one change of the declaration changes in the program: rotation, protect, adopt, faults, an empty stack."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.server.credentials import scram_salt, scram_verifier
from tests.unit.mocked import Ended, run
from tests.unit.test_program import CONFIG


def changed(**sections: Any) -> dict[str, Any]:
    return {**CONFIG, **sections}


def test_a_higher_rotation_changes_the_password_and_the_salt_of_one_service() -> None:
    rotated = run(changed(services={"madansara": {"rotation": 2}, "sankore": None}))
    assert rotated.resources["madansara-password"].inputs["keepers"] == {"rotation": "2"}
    assert rotated.resources["sankore-password"].inputs["keepers"] == {"rotation": "1"}
    salt = scram_salt("engarde", "local", "madansara_user", 2)
    assert rotated.resources["madansara-role"].inputs["password"] == scram_verifier(
        "generated-for-madansara-password", salt
    )


def test_protect_covers_roles_and_schemas_where_the_stack_says_so() -> None:
    server = {**CONFIG["server"], "protect": True}
    services = {"madansara": None, "sankore": {"protect": False}}
    protected = {n for n, r in run(changed(server=server, services=services)).resources.items() if r.protect}
    assert protected == {"madansara-role", "madansara-schema", "analytics-role"}


def protected(kind: str, name: str) -> dict[str, Any]:
    found = f"engarde:index:{kind}"
    return {f"urn:pulumi:local::engarde::{found}::{name}": {"type": found, "outputs": {"protected": True}}}


def test_what_is_protected_is_not_taken_out_of_the_stack_file() -> None:
    state = protected("ServiceTenant", "onside") | protected("AnalyticsReader", "analytics")
    without = {name: value for name, value in CONFIG.items() if name != "analytics"}
    with pytest.raises(
        Ended, match=r"no longer declares: analytics, onside\. Nothing was changed\. Declare it again with"
    ):
        run(without, state=state)
    run(changed(services={**CONFIG["services"], "onside": {"protect": False}}), state=state)


def test_what_is_protected_is_remembered() -> None:
    ran = run(changed(services={"madansara": {"protect": True}, "sankore": None}))
    told = {name: outputs["protected"] for name, outputs in ran.outputs.items() if "protected" in outputs}
    assert told == {"madansara": True, "sankore": False, "analytics": False}


def test_what_the_plugin_cannot_carry_is_set_by_the_program() -> None:
    ran = run(changed(services={"madansara": {"tempFileLimit": 0}, "sankore": {"tempFileLimit": 512}}))
    assert ran.settings == {
        "sankore_user": ["ALTER ROLE \"sankore_user\" SET temp_file_limit = '512MB'"],
        "analytics_readonly": [
            "ALTER ROLE \"analytics_readonly\" SET default_transaction_read_only = 'on'",
            "ALTER ROLE \"analytics_readonly\" SET temp_file_limit = '10240MB'",
        ],
    }
    assert ran.resources["sankore"].inputs["roleSettings"] == {"sankore-role": {"temp_file_limit": "512MB"}}
    assert ran.outputs["sankore"]["roleSettings"] == {"sankore-role": {"temp_file_limit": "512MB"}}


def test_only_a_superuser_limits_temporary_files() -> None:
    ran = run(changed(server={**CONFIG["server"], "superuser": False}, services={"sankore": None}))
    assert set(ran.settings) == {"analytics_readonly"}
    assert len(ran.settings["analytics_readonly"]) == 1


def test_a_setting_that_is_not_declared_any_more_is_taken_back_and_one_as_declared_is_left_alone() -> None:
    found = {"sankore_user": {"temp_file_limit": "10GB", "default_transaction_read_only": "on"}}
    ran = run(changed(services={"sankore": None}), found_settings=found, roles=frozenset(found))
    assert ran.settings["sankore_user"] == ['ALTER ROLE "sankore_user" RESET default_transaction_read_only']
    ran = run(changed(services={"sankore": {"tempFileLimit": 0}}), found_settings=found, roles=frozenset(found))
    assert ran.settings["sankore_user"][1] == 'ALTER ROLE "sankore_user" RESET temp_file_limit'


def test_drift_is_one_more_repair_and_so_a_change_of_the_component() -> None:
    kind = "engarde:index:ServiceTenant"
    outputs = {"roleSettings": {"sankore-role": {"temp_file_limit": "10240MB"}}, "roleSettingsRepairs": 2}
    state = {f"urn:pulumi:local::engarde::{kind}::sankore": {"type": kind, "outputs": outputs}}

    def repairs(**found: str) -> object:
        there, role = changed(services={"sankore": None}), "sankore_user"
        ran = run(there, state=state, found_settings={role: found}, roles=frozenset({role}))
        return ran.resources["sankore"].inputs["roleSettingsRepairs"]

    assert repairs(temp_file_limit="10240MB") == 2
    assert repairs(temp_file_limit="10GB") == 2
    assert repairs() == 3
    assert repairs(temp_file_limit="-1") == 3
    outputs.clear()
    assert repairs() == 1


def test_adopt_and_a_killed_run_take_over_roles_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGARDE_TAKE_OVER", '["sankore_user", "b_user"]')
    there = frozenset({"madansara_user", "sankore_user", "c_user"})
    services = {"madansara": {"adopt": True}, "sankore": None, "a": {"adopt": True}, "b": None, "c": None}
    ran = run(changed(services=services), roles=there)
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
    with pytest.raises(Ended, match=r"engarde:server\.host: missing"):
        run({"services": {"madansara": None}})


def test_an_empty_stack_exports_empty_maps() -> None:
    ran = run({"server": CONFIG["server"]})
    assert (ran.value("database_urls"), ran.value("passwords"), ran.value("services")) == ({}, {}, {})
    assert ran.value("analytics_url") is None
    assert ran.is_secret("analytics_url")
