"""In which order the engine may delete what is declared no more: by direct dependencies among what it deletes."""

from __future__ import annotations

from tests.unit.mocked import run
from tests.unit.test_program import CONFIG, TABLES


def test_any_two_roles_are_deleted_one_after_the_other_whichever_stay() -> None:
    names = [f"s{number:02}" for number in range(20)]
    ran = run({"server": CONFIG["server"], "services": dict.fromkeys(names), "analytics": {}})
    roles = [f"{name}-role" for name in [*names, "analytics"]]
    assert [b for at, b in enumerate(roles) for a in roles[:at] if a not in ran.resources[b].depends_on] == []


def test_a_schema_is_deleted_before_any_role_on_its_access_list() -> None:
    ran = run(CONFIG, tables=TABLES)
    assert ran.resources["sankore-schema"].depends_on >= {"madansara-role", "analytics-role", "sankore-role"}


def test_neighbours_on_an_access_list_wait_for_each_other_when_one_between_them_goes() -> None:
    services = {name: {"reads": ["legacy.t"]} for name in "abcd"}
    config = {"server": CONFIG["server"], "services": services, "existingSchemas": {"legacy": None}}
    ran = run(config, tables=frozenset({("legacy", "t")}))
    usages = [f"{name}-usage-legacy" for name in "abcd"]
    assert {"a-usage-legacy", "b-usage-legacy"} <= ran.resources[usages[2]].depends_on
