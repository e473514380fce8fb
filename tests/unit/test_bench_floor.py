"""The floor's scripts: what a stack grants, in statements that no name can break."""

from typing import Any

import pytest

from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from tests.bench.floor import Floor, floor, verifiers

USERS = ("public", "users")


def stack(**sections: Any) -> Stack:
    return parse("s", {"server": {"host": "h", "database": "railway"}, **sections}, {"adminPassword"})


def of(*tables: tuple[str, str], **sections: Any) -> Floor:
    declared = stack(**sections)
    return floor(declared, tables, {login.role: "VERIFIER" for login in declared.logins})


def test_an_empty_stack_only_closes_the_database_to_public() -> None:
    assert of().make.splitlines() == [
        'REVOKE ALL ON DATABASE "railway" FROM PUBLIC;',
        'REVOKE ALL ON SCHEMA "public" FROM PUBLIC;',
        'GRANT USAGE ON SCHEMA "public" TO PUBLIC;',
    ]


def test_a_service() -> None:
    script = of(USERS, services={"a": {"reads": ["public.users"]}}, existingSchemas={"public": None})
    assert [line for line in script.make.splitlines() if "PUBLIC" not in line] == [
        """CREATE ROLE "a_user" LOGIN CONNECTION LIMIT 10 PASSWORD 'VERIFIER' VALID UNTIL 'infinity';""",
        'ALTER ROLE "a_user" SET search_path = "a", "public";',
        'ALTER ROLE "a_user" SET "idle_in_transaction_session_timeout" = 60000;',
        'ALTER ROLE "a_user" SET "temp_file_limit" = \'10240MB\';',
        'CREATE SCHEMA "a" AUTHORIZATION "a_user";',
        'GRANT CONNECT, TEMPORARY ON DATABASE "railway" TO "a_user";',
        'GRANT SELECT ON TABLE "public"."users" TO "a_user";',
    ]
    assert 'ALTER DEFAULT PRIVILEGES FOR ROLE "a_user" REVOKE ALL ON FUNCTIONS FROM PUBLIC;' in script.make
    assert script.drop.splitlines() == ['DROP SCHEMA "a";', 'DROP OWNED BY "a_user";', 'DROP ROLE "a_user";']
    # The role, the schema, PUBLIC's two rows, and CONNECT, EXECUTE and one read.
    assert script.things == 7


def test_a_read_of_a_table_that_is_not_there_is_left_out() -> None:
    declared = {"services": {"a": {"reads": ["public.users"]}}, "existingSchemas": {"public": None}}
    assert "users" not in of(**declared).make
    assert of(**declared).things == of(USERS, **declared).things - 1


def test_reads_of_columns_and_what_analytics_may() -> None:
    made = of(
        USERS,
        services={"a": {"reads": [{"table": "public.users", "columns": ["id", 'na"me']}]}},
        existingSchemas={"public": None},
        analytics={},
    ).make
    assert 'GRANT SELECT ("id", "na""me") ON TABLE "public"."users" TO "a_user";' in made
    assert 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "a" TO "analytics_readonly";' in made
    later = 'ALTER DEFAULT PRIVILEGES FOR ROLE "a_user" IN SCHEMA "a" GRANT SELECT ON TABLES TO "analytics_readonly";'
    assert later in made


def test_a_role_from_before_loses_all_that_is_not_stated() -> None:
    made = of(existingSchemas={"public": None}, outsideRoles={"b": {"schemas": {"public": ["CREATE"]}}}).make
    assert 'REVOKE ALL ON SCHEMA "public" FROM "b";\nGRANT CREATE ON SCHEMA "public" TO "b";\n' in made


@pytest.mark.parametrize("name", ['od"d', "it's", "a b", "a;b", "back\\slash", ":colon", "${x}", "public.users"])
def test_odd_names_stay_names(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    script = of(services={name: {"schema": name.translate({ord('"'): "x", ord("\\"): "x"})}})
    assert f' AUTHORIZATION {quoted[:-1]}_user";\n' in script.make
    assert f'DROP ROLE {quoted[:-1]}_user";\n' in script.drop


def test_each_role_has_a_verifier_of_its_own() -> None:
    made = verifiers(stack(services={"a": None, "b": None}))
    assert made.keys() == {"a_user", "b_user"}
    assert len(set(made.values())) == 2
    assert all(each.startswith("SCRAM-SHA-256$4096:") for each in made.values())


def test_a_floor_does_not_show_its_verifiers() -> None:
    assert "VERIFIER" not in repr(of(services={"a": None}))
