"""What follows from a resource type's properties: checked inputs, plans, differences, recorded outputs."""

from pulumi.provider.experimental.provider import PropertyDiffKind
from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs import random as password
from devtools.provider_stubs.postgresql import contents, default_privileges, grant, role
from devtools.provider_stubs.provider import completed, difference, faults, imported, refreshed
from devtools.provider_stubs.resource import DEFAULTS, Works, emptied, plan, settle
from devtools.provider_stubs.values import Plain, Properties

NOTHING = Properties({})
NONE: frozenset[str] = frozenset()
GRANT: dict[str, Plain] = {"role": "app", "database": "db", "objectType": "database", "privileges": ["CONNECT"]}


def test_the_check_fills_in_what_the_official_check_does() -> None:
    assert completed(role.TYPE, {"name": "app"}, {}) == {
        "name": "app",
        "connectionLimit": -1,
        "encryptedPassword": True,
        "inherit": True,
        "validUntil": "infinity",
        DEFAULTS: ["connectionLimit", "encryptedPassword", "inherit", "validUntil"],
    }
    assert completed(grant.TYPE, GRANT, {}) == GRANT | {DEFAULTS: []}
    assert completed(password.TYPE, {"length": 32}, {}) == {"length": 32}


def test_a_value_that_was_a_default_stays_one() -> None:
    old: dict[str, Plain] = {"name": "app", "connectionLimit": 7, "validUntil": "2030-01-01"}
    filled = completed(role.TYPE, {"name": "app"}, old | {DEFAULTS: ["validUntil"]})
    assert (filled["connectionLimit"], filled["validUntil"]) == (-1, "2030-01-01")
    assert completed(role.TYPE, {"name": "app"}, old)["connectionLimit"] == 7


def test_the_check_refuses_what_cannot_be_served() -> None:
    assert [fault.property for fault in faults(grant.TYPE.properties, {"objectType": "nonsense", "policies": []})] == [
        "policies",
        "role",
        "database",
        "objectType",
        "privileges",
    ]
    assert not list(faults(grant.TYPE.properties, GRANT | {"objectType": UNKNOWN, DEFAULTS: []}))
    assert [fault.property for fault in faults(contents.SCHEMA.properties, {"name": "a", "policies": []})] == [
        "policies"
    ]


def test_a_new_resource_leaves_open_what_the_server_decides() -> None:
    planned = plan(contents.SCHEMA, {"name": "app", "ifNotExists": True}, NOTHING, NONE)
    assert planned.values == {
        "name": "app",
        "database": UNKNOWN,
        "owner": UNKNOWN,
        "ifNotExists": True,
        "dropCascade": False,
        "policies": UNKNOWN,
    }


def test_what_the_server_decided_stays() -> None:
    prior = Properties({"id": "db.app", "name": "app", "database": "db", "owner": "me", "policies": []})
    planned = plan(contents.SCHEMA, {"name": "app", "ifNotExists": True}, prior, NONE)
    assert (planned.text("id"), planned.text("owner")) == ("db.app", "me")


def test_ignored_properties_stay_as_they_are() -> None:
    prior = Properties({"name": "app", "connectionLimit": 44})
    inputs: dict[str, Plain] = {"name": "app", "connectionLimit": 10}
    assert plan(role.TYPE, inputs, prior, frozenset({"connectionLimit"})).number("connectionLimit") == 44
    assert plan(role.TYPE, inputs, prior, NONE).number("connectionLimit") == 10


def test_nothing_differs_between_unset_and_zero_or_in_the_order_of_a_set() -> None:
    prior = Properties({**GRANT, "privileges": ["CONNECT", "TEMPORARY"], "withGrantOption": False, "schema": None})
    inputs = GRANT | {"privileges": ["TEMPORARY", "CONNECT"]}
    assert difference(grant.TYPE, prior, plan(grant.TYPE, inputs, prior, NONE)).changes is False
    settled = Properties({"name": "app", "statementTimeout": 0, "assumeRole": "", "roles": [], **SWITCHED_OFF})
    planned = plan(role.TYPE, {"name": "app"}, settled, NONE)
    assert difference(role.TYPE, settled, planned).changes is False
    assert (planned.values["statementTimeout"], planned.values["assumeRole"], planned.values["roles"]) == (0, "", [])


SWITCHED_OFF: dict[str, Plain] = {each.name: False for each in role.TYPE.properties if each.otherwise is False}


def test_what_an_import_leaves_unset_comes_along_with_a_change_but_is_none() -> None:
    found = Properties({"name": "app", "database": "db", "owner": "me", "ifNotExists": True})
    inputs: dict[str, Plain] = {"name": "app", "ifNotExists": True}
    assert difference(contents.SCHEMA, found, plan(contents.SCHEMA, inputs, found, NONE)).changes is False
    moved = plan(contents.SCHEMA, inputs | {"owner": "other"}, found, NONE)
    assert difference(contents.SCHEMA, found, moved).diffs == ["dropCascade", "owner"]


def test_a_change_of_privileges_updates_and_one_of_objects_replaces() -> None:
    prior = plan(grant.TYPE, GRANT, NOTHING, NONE)
    updated = difference(grant.TYPE, prior, plan(grant.TYPE, GRANT | {"privileges": []}, prior, NONE))
    assert (updated.diffs, updated.replaces, updated.delete_before_replace) == (["privileges"], [], False)
    assert updated.detailed_diff["privileges"].kind is PropertyDiffKind.DELETE
    replaced = difference(grant.TYPE, prior, plan(grant.TYPE, GRANT | {"role": "other"}, prior, NONE))
    assert (replaced.diffs, replaced.replaces, replaced.delete_before_replace) == (["role"], ["role"], True)
    assert replaced.detailed_diff["role"].kind is PropertyDiffKind.UPDATE_REPLACE
    assert "database" in replaced.stables


def test_default_privileges_are_replaced_before_the_old_ones_are_deleted() -> None:
    inputs = GRANT | {"objectType": "table", "owner": "app"}
    prior = plan(default_privileges.TYPE, inputs, NOTHING, NONE)
    changed = plan(default_privileges.TYPE, inputs | {"owner": "other"}, prior, NONE)
    assert difference(default_privileges.TYPE, prior, changed).delete_before_replace is False


def test_keepers_are_texts_and_replace_a_password() -> None:
    prior = plan(password.TYPE, {"length": 32, "keepers": {"rotation": 1}}, NOTHING, NONE)
    assert prior.values["keepers"] == {"rotation": "1"}
    same = plan(password.TYPE, {"length": 32, "keepers": {"rotation": "1"}}, prior, NONE)
    assert difference(password.TYPE, prior, same).changes is False
    rotated = plan(password.TYPE, {"length": 32, "keepers": {"rotation": 2}}, prior, NONE)
    assert difference(password.TYPE, prior, rotated).replaces == ["keepers"]


def test_an_unknown_value_is_a_change() -> None:
    prior = Properties({"name": "app", "password": "x"})
    planned = plan(role.TYPE, {"name": "app", "password": UNKNOWN}, prior, NONE)
    assert "password" in difference(role.TYPE, prior, planned).diffs


def test_an_empty_set_is_null_at_first_and_empty_where_it_was_something() -> None:
    first = plan(grant.TYPE, GRANT | {"privileges": []}, NOTHING, NONE)
    assert settle(grant.TYPE, first.with_(privileges=[], id="x"), first)["privileges"] is None
    later = plan(grant.TYPE, GRANT | {"privileges": []}, Properties(GRANT), NONE)
    assert settle(grant.TYPE, later.with_(id="x"), later)["privileges"] == []


def test_what_loses_its_value_is_recorded_as_zero() -> None:
    prior = Properties({"name": "app", "password": "x", "statementTimeout": 5, "assumeRole": None})
    carried_out = emptied(role.TYPE, prior, plan(role.TYPE, {"name": "app"}, prior, NONE))
    lost = [carried_out.values[name] for name in ("password", "statementTimeout", "assumeRole")]
    assert lost == ["", 0, None]


def test_a_refresh_corrects_the_inputs_that_are_there_and_adds_none() -> None:
    old: dict[str, Plain] = {"privileges": ["USAGE"], "inherit": True, "login": True, DEFAULTS: ["inherit", "login"]}
    state: dict[str, Plain] = {"privileges": ["CREATE", "USAGE"], "inherit": True, "login": False, "superuser": True}
    assert refreshed(old, state) == {
        "privileges": ["CREATE"],
        "inherit": True,
        "login": False,
        DEFAULTS: ["inherit"],
    }


def test_an_import_keeps_what_is_not_as_it_would_be_anyway() -> None:
    found = Properties({**SWITCHED_OFF, "name": "app", "login": True, "connectionLimit": -1, "validUntil": "infinity"})
    assert imported(role.TYPE, found.with_(encryptedPassword=True, inherit=False)) == {
        "name": "app",
        "login": True,
        "inherit": False,
        DEFAULTS: [],
    }


def test_a_password_has_the_length_and_the_characters_asked_for() -> None:
    inputs: dict[str, Plain] = {"length": 40, "overrideSpecial": "_", "minSpecial": 5, "upper": False}
    made = password.create(Works(), plan(password.TYPE, inputs, NOTHING, NONE))
    result = made.text("result")
    assert len(result) == 40
    assert result.count("_") >= 5
    assert set(result) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    plain = password.create(Works(), plan(password.TYPE, {"length": 32, "special": False}, NOTHING, NONE))
    assert plain.text("result").isalnum()
