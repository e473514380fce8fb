"""Names of resources: no two declared things meet in one, and one that is written anew keeps its resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.grants import name_of
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, Privilege, expected
from engarde.declaration.resource_names import quoted
from tests.unit.mocked import run

SERVER = {"host": "h", "database": "d", "closeOtherDatabases": True}

PIECES = st.sampled_from(["a", "b", "-", ".", '"', "::", "$", "connect", "usage", "reads", "future-tables", "outside"])
TANGLED = ("a", "a-usage", "a-usage-x", "x", "x-connect", "connect", "a.b", "b", "b.c", "c", 'a"', "a-reads-b", "b-c")
NAMES = st.sampled_from(TANGLED) | st.lists(PIECES, min_size=1, max_size=4).map("".join)


def sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """A stack whose services, schemas, tables, creators and outside roles are named to be taken for one another."""
    services = sorted(draw(st.sets(NAMES, min_size=2, max_size=4)))
    schemas = draw(
        st.lists(NAMES.filter(lambda name: '"' not in name), min_size=len(services) + 1, max_size=7, unique=True)
    )
    own, existing = dict(zip(services, schemas, strict=False)), schemas[len(services) :]
    return {
        "server": SERVER,
        "services": {
            name: {
                "schema": schema,
                "reads": [
                    f"{sql(place)}.{sql(table)}"
                    for place, table in sorted(draw(st.sets(st.tuples(st.sampled_from(schemas), NAMES), max_size=3)))
                    if place != schema
                ],
            }
            for name, schema in own.items()
        },
        "existingSchemas": {
            name: {"creators": sorted(draw(st.sets(NAMES, min_size=1, max_size=3)))} for name in existing
        },
        "analytics": {},
        "outsideRoles": {
            name: {"schemas": {schema: ["USAGE"] for schema in existing}} for name in draw(st.sets(NAMES, max_size=3))
        },
    }


def assert_a_resource_for_each_row(declared: dict[str, Any]) -> None:
    stack = parse("local", declared, {"adminPassword"})
    tables = frozenset((read.schema_, read.table) for service in stack.services for read in service.reads)
    urns = run(declared, tables=tables).urns
    assert [urn for urn, times in Counter(urns).items() if times > 1] == []
    assert len([urn for urn in urns if "/grant:" in urn or "/defaultPrivileges:" in urn]) == len(
        expected(restrict_to(stack, None))
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(stacks())
def test_no_two_resources_have_one_name(declared: dict[str, Any]) -> None:
    assert_a_resource_for_each_row(declared)


def test_no_two_rows_of_services_have_one_name() -> None:
    stack = restrict_to(parse("local", {"server": SERVER}, {"adminPassword"}), None)

    def rows(owner: str) -> Iterator[Privilege]:
        yield Privilege(owner, On.DATABASE, "d", ())
        yield Privilege(PUBLIC, On.FUTURE_FUNCTIONS, "d", (), creator=owner)
        for schema in TANGLED:
            yield Privilege(owner, On.SCHEMA, "d", (), schema=schema)
            yield from (Privilege(owner, On.TABLE, "d", (), schema=schema, table=table) for table in TANGLED)

    names = Counter(name_of(owner, row, stack) for owner in TANGLED for row in rows(owner))
    assert len(names) > 2000
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize(
    "declared",
    [
        {"services": {"s": {"reads": ['"a.b".c', 'a."b.c"']}}, "existing": ["a.b", "a"]},
        {"services": {"a": {"schema": "x", "reads": ['"x-connect".t']}, "a-usage-x": None}, "existing": ["x-connect"]},
        {"services": {"a": {"schema": "x", "reads": ["connect.t"]}, "a-usage": None}, "existing": ["connect"]},
        {"services": {}, "existing": ["connect"], "outside": ["a", "a-usage"]},
    ],
)
def test_names_that_would_meet_without_quotes(declared: dict[str, Any]) -> None:
    existing = declared["existing"]
    assert_a_resource_for_each_row(
        {
            "server": SERVER,
            "services": {name: entry or {} for name, entry in declared["services"].items()},
            "existingSchemas": dict.fromkeys(existing),
            "outsideRoles": {
                name: {"schemas": {each: ["USAGE"] for each in existing}} for name in declared.get("outside", [])
            },
        }
    )


def test_ordinary_parts_stay_bare() -> None:
    for part in ("madansara", "Field Notes", "brand_users", "數據", "O'Brien", "a:b", "$1"):
        assert quoted(part) == part
    assert quoted('a-"b".c') == '"a-""b"".c"'


CONFIG: dict[str, Any] = {
    "server": {"host": "h", "database": "d"},
    "services": {"a": {"reads": ['"b-c".t']}, "b": {"schema": "b-c"}},
    "analytics": {},
}


def in_state(name: str, **outputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:local::engarde::postgresql:index/grant:Grant::{name}"
    return {urn: {"type": "postgresql:index/grant:Grant", "outputs": outputs}}


def aliases(state: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    ran = run(CONFIG, tables=frozenset({("b-c", "t")}), state=state)
    return {name: found.aliases for name, found in ran.resources.items() if found.aliases}


def test_a_name_of_an_older_run_is_an_alias() -> None:
    state = in_state(
        "a-reads-b-c.t", role="a_user", schema="b-c", objects=["t"], objectType="table", database="d"
    ) | in_state("analytics-usage-b-c", role="analytics_readonly", schema="b-c")
    assert aliases(state) == {'a-reads-"b-c".t': ("a-reads-b-c.t",), 'analytics-usage-"b-c"': ("analytics-usage-b-c",)}


def test_a_name_without_its_creator_is_an_alias_of_that_creators_alone() -> None:
    urn = "urn:pulumi:local::engarde::postgresql:index/defaultPrivileges:DefaultPrivileges::analytics-future-tables-b-c"
    outputs = {"role": "analytics_readonly", "schema": "b-c", "owner": "b_user"}
    state = {urn: {"type": "postgresql:index/defaultPrivileges:DefaultPrivileges", "outputs": outputs}}
    assert aliases(state) == {'analytics-future-tables-"b-c"-b_user': ("analytics-future-tables-b-c",)}
    outputs["owner"] = "another"
    assert aliases(state) == {}


def test_a_name_that_another_resource_has_is_no_alias() -> None:
    assert aliases(in_state("a-usage-b-c", role="other_user", schema=None)) == {}
    assert aliases({}) == {}
