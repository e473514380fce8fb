"""The program with services in databases of their own: its resources, and what a service leaves where it was."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.databases import databases
from engarde.declaration.loader import parse
from engarde.declaration.resource_names import base_name, database_label, in_database
from engarde.server.credentials import scram_matches
from tests.unit.mocked import Ended, Ran, run

SERVER = {"host": "db.example", "database": "railway"}
CONFIG: dict[str, Any] = {
    "server": SERVER,
    "services": {"a": None, "b": {"database": "bs"}, "c": {"database": "cs"}},
    "databases": {"cs": {"host": "other.example", "database": "railway", "user": "root"}},
    "adminPasswords": {"cs": "other-password"},
    "analytics": {},
}
URN = "urn:pulumi:local::engarde::engarde:index:ServiceTenant${}::{}".format
SCHEMA, ROLE = "postgresql:index/schema:Schema", "postgresql:index/role:Role"


@pytest.fixture(scope="module")
def ran() -> Ran:
    return run(CONFIG)


def schema(name: str, *, marked: bool = False) -> dict[str, Any]:
    outputs = {"name": "a", "database": "railway", "owner": "a_user", "ifNotExists": not marked}
    return {URN(SCHEMA, name): {"type": SCHEMA, "outputs": outputs}}


def role(name: str, *, marked: bool = False) -> dict[str, Any]:
    return {URN(ROLE, name): {"type": ROLE, "outputs": {"name": "a_user", "login": not marked}}}


def moved(database: str | None, state: dict[str, Any], **sections: Any) -> Ran:
    services = {**CONFIG["services"], "a": {"database": database} if database else {"protect": True}}
    return run({**CONFIG, "services": services, **sections}, state=state)


def test_a_service_has_the_same_resources_in_whatever_database(ran: Ran) -> None:
    def of(service: str, place: str = "") -> set[str]:
        own = {name for name, each in ran.resources.items() if each.parent == service}
        return {name.removesuffix(place).removeprefix(service) for name in own}

    assert of("a") == of("b", "-in-bs") == of("c", "-on-cs")


def test_each_is_made_by_the_admin_of_its_server_in_its_database(ran: Ran) -> None:
    made = {name: each for name, each in ran.resources.items() if each.parent in ("b", "c", "analytics")}
    databases = {name: (each.provider, each.inputs.get("database")) for name, each in made.items()}
    assert databases["b-role"] == ("database-admin", None)
    assert databases["b-schema-in-bs"] == databases["analytics-tables-b-in-bs"] == ("database-admin", "bs")
    assert databases["c-role-on-cs"] == ("database-admin-on-cs", None)
    assert databases["c-schema-on-cs"] == databases["c-connect-on-cs"] == ("database-admin-on-cs", "railway")
    admin = ran.resources["database-admin-on-cs"]
    assert (admin.inputs["host"], admin.inputs["username"], admin.inputs["password"]) == (
        "other.example",
        "root",
        "other-password",
    )
    assert admin.secret_inputs == {"password"}


def test_public_is_shut_out_of_every_database(ran: Ran) -> None:
    closed = {n: r.inputs["database"] for n, r in ran.resources.items() if n.startswith("database-public-connect")}
    assert closed == {
        "database-public-connect": "railway",
        "database-public-connect-in-bs": "bs",
        "database-public-connect-on-cs": "railway",
    }


def test_nothing_of_a_service_is_in_the_shared_database(ran: Ran) -> None:
    shared = [
        r for r in ran.resources.values() if r.provider == "database-admin" and r.inputs.get("database") == "railway"
    ]
    assert not [r.name for r in shared if {"b_user", "c_user"} & {r.inputs.get("role"), r.inputs.get("owner")}]


def test_roles_are_made_one_after_another_on_each_server(ran: Ran) -> None:
    assert {"a-role", "b-role"} <= ran.resources["analytics-role"].depends_on
    assert "a-role" in ran.resources["b-role"].depends_on
    assert ran.resources["analytics-role-on-cs"].depends_on >= {"c-role-on-cs"}
    assert not {"a-role", "b-role"} & ran.resources["c-role-on-cs"].depends_on


def test_analytics_has_one_password_and_a_url_for_each_database(ran: Ran) -> None:
    assert ran.is_secret("analytics_urls")
    user = "postgresql://analytics_readonly:generated-for-analytics-password"
    assert ran.value("analytics_urls") == {
        "railway": f"{user}@db.example:5432/railway",
        "bs": f"{user}@db.example:5432/bs",
        "cs": f"{user}@other.example:5432/railway",
    }
    assert ran.value("analytics_url") == f"{user}@db.example:5432/railway"
    verifiers = {ran.resources[name].inputs["password"] for name in ("analytics-role", "analytics-role-on-cs")}
    assert len(verifiers) == 2, "what one server stores is no key to the other"
    assert all(scram_matches("generated-for-analytics-password", verifier) for verifier in verifiers)


def test_urls_lead_to_where_each_service_is(ran: Ran) -> None:
    assert ran.value("database_urls") == {
        "a": "postgresql://a_user:generated-for-a-password@db.example:5432/railway",
        "b": "postgresql://b_user:generated-for-b-password@db.example:5432/bs",
        "c": "postgresql://c_user:generated-for-c-password@other.example:5432/railway",
    }
    assert [each.get("database") for each in ran.value("services").values()] == [None, "bs", "cs"]


def test_the_first_run_after_a_move_marks_the_schema_and_the_second_lets_go_of_it() -> None:
    first = moved("as", schema("a-schema") | role("a-role"))
    left = first.resources["a-schema"]
    assert (left.retain_on_delete, left.protect, left.provider) == (True, False, "database-admin")
    assert left.inputs == {"name": "a", "database": "railway", "owner": "a_user", "ifNotExists": False}
    assert first.resources["a-schema-in-as"].inputs["database"] == "as"
    assert not first.resources["a-role"].retain_on_delete and first.resources["a-role"].inputs["login"]
    second = moved("as", schema("a-schema", marked=True) | role("a-role") | schema("a-schema-in-as"))
    assert "a-schema" not in second.resources


def test_on_another_server_the_role_is_left_behind_too_and_logs_in_no_more() -> None:
    state = schema("a-schema") | role("a-role")
    first = moved("cs", state)
    left = first.resources["a-role"]
    assert (left.inputs["login"], left.retain_on_delete, left.provider) == (False, True, "database-admin")
    assert "a-schema-on-cs" in left.depends_on
    assert first.resources["a-role-on-cs"].inputs["login"]
    second = moved("cs", schema("a-schema", marked=True) | role("a-role", marked=True))
    assert not {"a-schema", "a-role"} & second.resources.keys()


@pytest.mark.parametrize(
    ("name", "provider"), [("a-schema-in-as", "database-admin"), ("a-schema-on-cs", "database-admin-on-cs")]
)
def test_back_again_the_other_database_is_left(name: str, provider: str) -> None:
    back = moved(None, schema(name) | schema("a-schema", marked=True))
    assert (back.resources[name].retain_on_delete, back.resources[name].provider) == (True, provider)
    home = back.resources["a-schema"]
    assert (home.retain_on_delete, home.protect, "ifNotExists" in home.inputs) == (False, True, False)
    assert "database-public-connect" + name.removeprefix("a-schema") in back.resources, "it stays shut meanwhile"


def test_a_server_that_is_named_no_more_while_something_is_there_is_refused() -> None:
    gone = {**CONFIG, "services": {"a": None}, "databases": {}, "adminPasswords": {}}
    with pytest.raises(Ended, match=r"Restore engarde:databases\.cs"):
        run(gone, state=schema("a-schema-on-cs"))
    assert "a-schema-on-cs" not in run(gone, state=schema("a-schema-on-cs", marked=True)).resources
    renamed = {**CONFIG, "databases": {"bs": CONFIG["databases"]["cs"]}, "adminPasswords": {"bs": "x"}}
    services = {"a": {"database": "bs"}}
    with pytest.raises(Ended, match=r"Give engarde:databases\.bs another key"):
        run({**renamed, "services": services}, state=schema("a-schema-in-bs"))


def test_a_retired_services_database_is_looked_after_until_it_is_gone() -> None:
    ran = run({"server": SERVER}, state=schema("b-schema-in-bs"))
    assert "database-public-connect-in-bs" in ran.resources
    assert "b-schema-in-bs" not in ran.resources


def test_reads_of_the_database_that_it_left_are_revoked_or_let_go_of() -> None:
    grant = "postgresql:index/grant:Grant"
    outputs = {
        "role": "a_user",
        "database": "railway",
        "schema": "public",
        "objectType": "table",
        "objects": ["users"],
        "privileges": ["SELECT"],
    }
    state = schema("a-schema") | {URN(grant, "a-reads-public.users"): {"type": grant, "outputs": outputs}}
    config = {**CONFIG, "services": {"a": {"database": "as"}}}
    gone = run(config, state=state)
    assert gone.resources["a-reads-public.users"].retain_on_delete
    assert gone.outputs["a"]["released"] == ["a-reads-public.users"]
    there = run(config, state=state, tables=frozenset({("public", "users")}))
    assert "a-reads-public.users" not in there.resources


@pytest.mark.parametrize("label", ["bs", "Own One", 'a-"b".c', "connect", "a.b", "x-in-y", "in", "數據"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_name_tells_its_place_whatever_the_database_is_called(label: str, elsewhere: bool) -> None:
    beside: dict[str, Any] = {"databases": {label: {"host": "h2"}}, "adminPasswords": {label: {"secure": "v1:A"}}}
    sections = {"server": SERVER, "services": {"a": {"database": label}}, **(beside if elsewhere else {})}
    shared, database = databases(parse("local", sections, {"adminPassword"}))
    for name in ("a-schema", "a-role", "a-b-in-c-schema"):
        assert database_label(in_database(name, database)) == (label, elsewhere)
        assert (
            base_name(in_database(name, database))
            == base_name(in_database(name, shared))
            == in_database(name, shared)
            == name
        )
        assert database_label(name) is None
