"""Declared reads whose tables come and go: what the program declares, warns of, and remembers."""

from __future__ import annotations

from typing import Any

from engarde.declaration.model import Table
from tests.unit.mocked import Ran, run

SERVER = {"host": "h", "database": "railway"}
USERS, BRANDS = ("public", "users"), ("public", "brands")
NAMES = {USERS: "madansara-reads-public.users", BRANDS: "madansara-reads-public.brands"}


def in_state(*tables: Table, released: tuple[str, ...] = ()) -> dict[str, Any]:
    urn = "urn:pulumi:local::engarde::{}::{}".format
    grants = {
        urn("engarde:index:ServiceTenant$postgresql:index/grant:Grant", NAMES[table]): {
            "type": "postgresql:index/grant:Grant",
            "outputs": {
                "role": "madansara_user",
                "database": "railway",
                "schema": table[0],
                "objectType": "column" if table == BRANDS else "table",
                "objects": [table[1]],
                "columns": ["id"] if table == BRANDS else None,
                "privileges": ["SELECT"],
            },
        }
        for table in tables
    }
    tenant = urn("engarde:index:ServiceTenant", "madansara")
    return grants | {tenant: {"type": "engarde:index:ServiceTenant", "outputs": {"released": list(released)}}}


def up(reads: list[Any], tables: set[Table], state: dict[str, Any]) -> Ran:
    config = {
        "server": SERVER,
        "services": {"madansara": {"reads": reads}},
        "existingSchemas": {"public": None},
    }
    return run(config, tables=frozenset(tables), state=state)


def granted(ran: Ran) -> dict[str, bool]:
    """The declared read grants, and whether each leaves the state without a statement."""
    return {n: r.retain_on_delete for n, r in ran.resources.items() if "-reads-" in n}


def released(ran: Ran) -> list[str]:
    return list(ran.outputs["madansara"]["released"])


def test_a_table_that_is_there_is_granted() -> None:
    ran = up(["public.users"], {USERS}, {})
    assert granted(ran) == {NAMES[USERS]: False}
    assert (ran.warnings, released(ran)) == ([], [])


def test_references_on_columns_are_a_grant_of_their_own() -> None:
    whole = {"table": "public.users", "references": True}
    of_columns = {"table": "public.brands", "columns": ["id"], "references": True}
    ran = up([whole, of_columns], {USERS, BRANDS}, {})
    grants = {n: r.inputs["privileges"] for n, r in ran.resources.items() if "public." in n}
    assert grants == {
        NAMES[USERS]: ["SELECT", "REFERENCES"],
        NAMES[BRANDS]: ["SELECT"],
        "madansara-references-public.brands": ["REFERENCES"],
    }


def test_what_is_missing_is_told_once() -> None:
    ran = up([{"table": "public.brands", "columns": ["id"], "references": True}], set(), {})
    assert [warning for warning in ran.warnings if "does not exist yet" in warning] == ran.warnings
    assert len(ran.warnings) == 1


def test_a_table_that_is_missing_is_left_out_with_a_warning() -> None:
    ran = up(["public.users", "public.brands"], {BRANDS}, {})
    assert granted(ran) == {NAMES[BRANDS]: False}
    assert len(ran.warnings) == 1
    assert "public.users does not exist yet" in ran.warnings[0]


def test_a_table_that_vanished_stays_declared_so_that_nothing_is_revoked_on_it() -> None:
    ran = up(["public.users"], set(), in_state(USERS))
    assert granted(ran) == {NAMES[USERS]: True}
    assert ran.resources[NAMES[USERS]].ignore_changes == ("columns", "objects", "privileges")
    assert "public.users no longer exists" in ran.warnings[0]
    assert released(ran) == [NAMES[USERS]]


def test_a_vanished_table_that_is_back_is_an_ordinary_read_again() -> None:
    ran = up(["public.users"], {USERS}, in_state(USERS, released=(NAMES[USERS],)))
    assert granted(ran) == {NAMES[USERS]: False}
    assert (ran.warnings, released(ran)) == ([], [])


def test_a_read_no_longer_declared_is_revoked_while_its_table_is_there() -> None:
    assert granted(up([], {USERS}, in_state(USERS))) == {}


def test_vanished_and_no_longer_declared_takes_two_runs() -> None:
    first = up([], set(), in_state(BRANDS))
    assert granted(first) == {NAMES[BRANDS]: True}
    assert first.resources[NAMES[BRANDS]].inputs["columns"] == ["id"]
    second = up([], set(), in_state(BRANDS, released=tuple(released(first))))
    assert (granted(second), released(second)) == ({}, [])


def test_services_whose_names_begin_alike_keep_their_own_reads() -> None:
    config = {"server": SERVER, "services": {"mad": None, "madansara": None}, "existingSchemas": {"public": None}}
    ran = run(config, state=in_state(USERS))
    assert granted(ran) == {NAMES[USERS]: True}
    assert ran.resources[NAMES[USERS]].parent == "madansara"
