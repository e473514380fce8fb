"""Terraform's side of the benchmark: the same resources, and why it is left out where it is."""

from pathlib import Path
from typing import Any

import pytest

from tests.bench.floor import floor
from tests.bench.terraform import PROVIDERS, TerraformMissing, found
from tests.bench.terraform_config import configuration
from tests.unit.test_bench_floor import USERS, stack

SECTIONS: dict[str, Any] = {
    "services": {"a": {"reads": ["public.users"]}, "b": None},
    "existingSchemas": {"public": None},
    "analytics": {},
}
VERIFIERS = {"a_user": "A", "b_user": "B", "analytics_readonly": "R"}


def resources(verifiers: dict[str, str], **sections: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = configuration(stack(**sections), [USERS], verifiers)["resource"]
    return found


def test_it_makes_what_the_floor_makes() -> None:
    made = resources(VERIFIERS, **SECTIONS)
    assert sum(map(len, made.values())) == floor(stack(**SECTIONS), [USERS], VERIFIERS).things


def test_passwords_are_its_own_where_no_verifiers_are_given() -> None:
    made = resources({}, **SECTIONS)
    assert len(made["random_password"]) == len(VERIFIERS)
    assert made["postgresql_role"]["role_0"]["password"] == "${random_password.role_0.result}"


def test_what_it_makes_is_referred_to_and_what_is_there_is_named() -> None:
    made = resources(VERIFIERS, **SECTIONS)
    grants = list(made["postgresql_grant"].values())
    [read] = [grant for grant in grants if grant.get("objects")]
    assert read["role"] == "${postgresql_role.role_0.name}"
    assert read["schema"] == "public"
    assert {grant["role"] for grant in grants} - {f"${{postgresql_role.role_{n}.name}}" for n in range(3)} == {"public"}


def test_a_name_is_no_template() -> None:
    made = resources({"a_user": "%{x}"}, services={"a": {"schema": "${x}"}})
    assert made["postgresql_schema"]["schema_0"]["name"] == "$${x}"
    assert made["postgresql_role"]["role_0"]["password"] == "%%{x}"


def test_no_password_of_the_admin_stands_in_the_configuration() -> None:
    assert "password" not in configuration(stack(), [], {})["provider"]["postgresql"]


def test_it_is_left_out_without_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(TerraformMissing, match="no terraform on PATH"):
        found(tmp_path / "new")


def test_it_is_left_out_where_the_folder_holds_no_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "terraform")
    monkeypatch.setenv(PROVIDERS, str(tmp_path))
    with pytest.raises(TerraformMissing, match="without terraform-provider-postgresql"):
        found(tmp_path / "new")
