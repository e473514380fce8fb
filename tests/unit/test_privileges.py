"""The privilege table: what each declaration grants, and nothing besides."""

from __future__ import annotations

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.privileges import On, Privilege, expected

DB = "railway"


def rows(**sections: object) -> frozenset[Privilege]:
    return expected(
        restrict_to(parse("s", {"server": {"host": "h", "database": DB}, **sections}, {"adminPassword"}), None)
    )


BASELINE = {
    Privilege("public", On.DATABASE, DB, ()),
    Privilege("public", On.SCHEMA, DB, ("USAGE",), schema="public"),
}


def test_an_empty_stack_only_closes_the_database_to_public() -> None:
    assert rows() == BASELINE


def test_a_service_gets_its_way_in_and_its_reads() -> None:
    found = rows(
        services={"a": {"reads": ["public.users", {"table": "b.t", "columns": ["x"]}]}, "b": None},
        existingSchemas={"public": None},
    )
    assert found - BASELINE == {
        Privilege("a_user", On.DATABASE, DB, ("CONNECT", "TEMPORARY")),
        Privilege("b_user", On.DATABASE, DB, ("CONNECT", "TEMPORARY")),
        Privilege("public", On.FUTURE_FUNCTIONS, DB, (), creator="a_user"),
        Privilege("public", On.FUTURE_FUNCTIONS, DB, (), creator="b_user"),
        Privilege("a_user", On.TABLE, DB, ("SELECT",), schema="public", table="users"),
        Privilege("a_user", On.SCHEMA, DB, ("USAGE",), schema="b"),
        Privilege("a_user", On.COLUMNS, DB, ("SELECT",), schema="b", table="t", columns=("x",)),
    }


def test_a_read_with_references_gives_both_and_on_columns_each_by_itself() -> None:
    sections = {"existingSchemas": {"public": None}}
    reads = [{"table": "public.brands", "references": True}, {"table": "b.t", "columns": ["x"], "references": True}]
    given = rows(services={"a": {"reads": reads}, "b": None}, **sections) - rows(
        services={"a": {"reads": ["b.u"]}, "b": None}, **sections
    )
    assert given == {
        Privilege("a_user", On.TABLE, DB, ("SELECT", "REFERENCES"), schema="public", table="brands"),
        Privilege("a_user", On.COLUMNS, DB, ("SELECT",), schema="b", table="t", columns=("x",)),
        Privilege("a_user", On.COLUMNS, DB, ("REFERENCES",), schema="b", table="t", columns=("x",)),
    }


def test_a_call_gives_execute_on_one_function_and_usage_where_it_is() -> None:
    sections = {"existingSchemas": {"public": None}}
    calls = ["public.f(integer, text)", "b.g()"]
    given = rows(services={"a": {"executes": calls}, "b": None}, **sections) - rows(
        services={"a": None, "b": None}, **sections
    )
    assert given == {
        Privilege("a_user", On.SCHEMA, DB, ("USAGE",), schema="b"),
        Privilege("a_user", On.FUNCTION, DB, ("EXECUTE",), schema="public", function="f(integer, text)"),
        Privilege("a_user", On.FUNCTION, DB, ("EXECUTE",), schema="b", function="g()"),
    }


def test_an_admin_that_is_no_superuser_may_act_as_the_services() -> None:
    server = {"host": "h", "database": DB, "user": "adm"}
    sections = {"services": {"a": None, "b": {"role": "c"}}, "analytics": None}
    beside = rows(server={**server, "superuser": False}, **sections) - rows(server=server, **sections)
    assert beside == {Privilege("adm", On.ROLE, DB, (), role=role) for role in ("a_user", "c")}


def test_analytics_selects_what_is_and_what_will_be() -> None:
    with_reader = rows(services={"a": None}, existingSchemas={"public": {"creators": ["p", "q"]}}, analytics=None)
    without = rows(services={"a": None}, existingSchemas={"public": {"creators": ["p", "q"]}})

    def select(on: On, schema: str, creator: str | None = None) -> Privilege:
        return Privilege("analytics_readonly", on, DB, ("SELECT",), schema=schema, creator=creator)

    assert with_reader - without == {
        Privilege("analytics_readonly", On.DATABASE, DB, ("CONNECT",)),
        Privilege("analytics_readonly", On.SCHEMA, DB, ("USAGE",), schema="a"),
        *(select(on, schema) for on in (On.TABLES, On.SEQUENCES) for schema in ("a", "public")),
        *(
            select(on, schema, creator)
            for on in (On.FUTURE_TABLES, On.FUTURE_SEQUENCES)
            for schema, creator in (("a", "a_user"), ("public", "p"), ("public", "q"))
        ),
    }


def test_outside_roles_keep_the_full_set_that_is_stated() -> None:
    found = rows(
        existingSchemas={"public": None},
        outsideRoles={"backend": None, "old": {"database": ["CONNECT"], "schemas": {"public": ["USAGE", "CREATE"]}}},
    )
    assert found - BASELINE == {
        Privilege("backend", On.DATABASE, DB, ("CONNECT", "TEMPORARY")),
        Privilege("old", On.DATABASE, DB, ("CONNECT",)),
        Privilege("old", On.SCHEMA, DB, ("USAGE", "CREATE"), schema="public"),
    }


def test_outside_roles_read_what_is_stated_and_enter_where_it_is() -> None:
    reads = ["a.t", {"table": "old.u", "columns": ["x"]}, "public.v"]
    role = {"database": ["CONNECT"], "schemas": {"old": ["CREATE"]}, "reads": reads}
    schemas = {"public": None, "old": None}
    found = rows(services={"a": None}, existingSchemas=schemas, outsideRoles={"report": role}) - rows(
        services={"a": None}, existingSchemas=schemas
    )
    assert found == {
        Privilege("report", On.DATABASE, DB, ("CONNECT",)),
        Privilege("report", On.SCHEMA, DB, ("CREATE", "USAGE"), schema="old"),
        Privilege("report", On.SCHEMA, DB, ("USAGE",), schema="a"),
        Privilege("report", On.TABLE, DB, ("SELECT",), schema="a", table="t"),
        Privilege("report", On.COLUMNS, DB, ("SELECT",), schema="old", table="u", columns=("x",)),
        Privilege("report", On.TABLE, DB, ("SELECT",), schema="public", table="v"),
    }


def test_other_databases_lose_public_where_the_stack_says_so() -> None:
    server = {"host": "h", "database": "postgres", "closeOtherDatabases": True}
    found = expected(restrict_to(parse("s", {"server": server}, {"adminPassword"}), None))
    closed = {row.database for row in found if row.on is On.DATABASE and row.grantee == "public" and not row.rights}
    assert closed == {"postgres", "template1"}
