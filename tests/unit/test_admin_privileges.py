"""Which rights an admin that is no superuser is told to get: each by one statement, odd names quoted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.preflight.admin_privileges import Admin, AdminSnapshot, Owned, Role, missing, schemas

ADM = Role("adm", superuser=False, manageable=False, reachable=True)
POSTGRES = Role("postgres", superuser=True, manageable=False, reachable=False)
OTHER = Role('the "other"', superuser=False, manageable=False, reachable=False)
RAILWAY = Owned("database", "railway", None, "adm", grantable=True)


def stack(**sections: Any) -> Stack:
    server = {"host": "h", "database": "railway", "user": "adm", "superuser": False}
    return parse("prod", {"server": server, **sections}, {"adminPassword"})


def lacking(
    declared: Stack,
    *owned: Owned,
    roles: tuple[Role, ...] = (),
    superuser: bool = False,
    createrole: bool = True,
    extensions: frozenset[str] = frozenset(),
    fixed: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    admin = Admin("adm", superuser, createrole, 17)
    found = AdminSnapshot(admin, (ADM, POSTGRES, OTHER, *roles), (RAILWAY, *owned), extensions, fixed)
    return [each.sql for each in missing(restrict_to(declared, None), found)]


READING = {"services": {"a": None}, "existingSchemas": {"public": None}, "analytics": {}}


def test_an_admin_with_all_it_needs_lacks_nothing() -> None:
    own = [Owned("schema", "public", None, "adm", True), Owned("table", "public", "t", "adm", True)]
    role = Role("a_user", superuser=False, manageable=True, reachable=True)
    assert lacking(stack(**READING), *own, roles=(role,)) == []


def test_a_superuser_lacks_nothing() -> None:
    theirs = Owned("schema", "public", None, "postgres", True)
    assert lacking(stack(**READING), theirs, superuser=True, createrole=False) == []


def test_its_own_attributes_and_the_database() -> None:
    foreign = Owned("database", "rail way", None, "postgres", True)
    assert lacking(stack(), foreign, createrole=False) == [
        'ALTER DATABASE "rail way" OWNER TO "adm";',
        'ALTER ROLE "adm" CREATEROLE;',
    ]


def test_roles_of_the_stack_that_exist() -> None:
    made_by_others = Role("a_user", superuser=False, manageable=False, reachable=False)
    assert lacking(stack(services={"a": None}), roles=(made_by_others,)) == [
        'GRANT "a_user" TO "adm" WITH ADMIN OPTION;'
    ]
    super_ = Role("analytics_readonly", superuser=True, manageable=False, reachable=False)
    assert lacking(stack(analytics={}), roles=(super_,)) == ['ALTER ROLE "analytics_readonly" NOSUPERUSER;']


def test_what_superusers_own_is_handed_over_or_may_be_granted() -> None:
    theirs = (
        Owned("schema", "public", None, "postgres", True),
        Owned("table", "public", "t", "postgres", False),
        Owned("table", "public", "u", "postgres", False),
        Owned("sequence", "public", "s", "postgres", False),
    )
    assert lacking(stack(**READING), *theirs) == [
        'ALTER SCHEMA "public" OWNER TO "adm";',
        'GRANT SELECT ON SEQUENCE "public"."s" TO "adm" WITH GRANT OPTION;',
        'GRANT SELECT ON TABLE "public"."t" TO "adm" WITH GRANT OPTION;',
        'GRANT SELECT ON TABLE "public"."u" TO "adm" WITH GRANT OPTION;',
    ]
    reads = {"services": {"a": {"reads": ['public."T.t"']}}, "existingSchemas": {"public": None}}
    assert lacking(
        stack(**reads),
        Owned("table", "public", "T.t", "postgres", False),
        Owned("table", "public", "not read", "postgres", False),
        Owned("sequence", "public", "not read", "postgres", False),
    ) == ['GRANT SELECT ON TABLE "public"."T.t" TO "adm" WITH GRANT OPTION;']


def test_what_foreign_keys_are_to_point_at_may_be_granted_with_references() -> None:
    reads = [{"table": "public.t", "references": True}, "public.u"]
    declared = stack(services={"a": {"reads": reads}}, existingSchemas={"public": None})
    assert lacking(
        declared,
        Owned("table", "public", "t", "postgres", True, referable=False),
        Owned("table", "public", "u", "postgres", True, referable=False),
    ) == ['GRANT SELECT, REFERENCES ON TABLE "public"."t" TO "adm" WITH GRANT OPTION;']


def test_what_the_admin_may_grant_already_needs_nothing() -> None:
    assert lacking(stack(**READING), Owned("table", "public", "t", "postgres", True)) == []


def test_owners_that_are_no_superusers_are_joined_once() -> None:
    theirs = (
        Owned("schema", "public", None, OTHER.name, True),
        Owned("table", "public", "t", OTHER.name, False),
    )
    assert lacking(stack(**READING), *theirs) == ['GRANT "the ""other""" TO "adm";']


def test_creators_of_what_analytics_reads_later() -> None:
    public = {"public": {"creators": ["adm", OTHER.name, "postgres", "nobody"]}}
    assert lacking(stack(existingSchemas=public)) == []
    assert lacking(stack(existingSchemas=public, analytics={})) == [
        'GRANT "postgres" TO "adm";',
        'GRANT "the ""other""" TO "adm";',
    ]


def test_extensions_that_only_a_superuser_can_move() -> None:
    declared, known = stack(extensions={"citext": {"schema": "public"}}), frozenset({"citext"})
    move = ['ALTER EXTENSION "citext" SET SCHEMA "public";']
    assert lacking(declared, extensions=known, fixed={"citext": "apart"}) == move
    assert lacking(declared, extensions=known, fixed={"citext": "public"}) == []
    assert lacking(declared, extensions=known, fixed={"citext": "apart"}, superuser=True) == []


def test_extensions_that_take_a_superuser() -> None:
    declared = stack(extensions={"hstore": None, "pg_stat_statements": {"schema": "public"}})
    assert lacking(declared, extensions=frozenset({"hstore"})) == [
        'CREATE EXTENSION IF NOT EXISTS "pg_stat_statements" SCHEMA "public";'
    ]


def test_only_schemas_in_which_the_stack_grants_are_looked_at() -> None:
    declared = stack(
        services={"a": {"reads": ["legacy.t"]}},
        existingSchemas={"legacy": None, "of_backend": None, "untouched": None},
        outsideRoles={"backend": {"schemas": {"of_backend": ["USAGE"]}}},
    )
    assert schemas(restrict_to(declared, None)) == {"public", "a", "legacy", "of_backend"}
