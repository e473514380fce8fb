"""Services with a database of their own: what a stack file may say of them, and what each database comes to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.runtime import set_all_config

from components.engine import declared_stack
from engarde.declaration.databases import database_of, databases, display_name
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.declaration.privileges import On, Privilege, expected
from engarde.errors import ConfigError
from tests.unit.mocked import set_mocks

SERVER = {"host": "db.example", "database": "railway"}
THERE = {"host": "other.example", "port": 5433, "database": "railway", "user": "root"}
SERVICES: dict[str, Any] = {"a": None, "b": {"database": "bs"}, "c": {"database": "cs"}}
STACK: dict[str, Any] = {
    "services": SERVICES,
    "databases": {"cs": THERE},
    "existingSchemas": {"public": None},
    "outsideRoles": {"backend": None},
    "analytics": {},
}
PASSWORDS = {"cs": {"secure": "v1:AAAA"}}


def stack(**sections: Any) -> Stack:
    return parse("prod", {"server": SERVER, "adminPasswords": PASSWORDS, **STACK, **sections}, {"adminPassword"})


def faults(**sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        stack(**sections)
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_a_stack_without_own_databases_has_the_shared_one_alone() -> None:
    alone = parse("prod", {"server": SERVER, "services": {"a": None}}, {"adminPassword"})
    [only] = databases(alone)
    assert database_of(alone, alone.services[0]) == only
    assert (only.services, only.server, only.stack) == (alone.services, alone.server, alone)
    assert not (only.label or only.elsewhere or only.guests or only.neighbours or only.siblings)


def test_each_database_has_its_services_and_the_shared_one_all_that_is_not_the_stacks_own() -> None:
    shared, bs, cs = databases(stack())
    assert [display_name(database) for database in (shared, bs, cs)] == ["railway", "bs", "cs"]
    assert [[service.name for service in database.services] for database in (shared, bs, cs)] == [["a"], ["b"], ["c"]]
    assert [(p.server.host, p.server.port, p.server.database, p.server.user) for p in (shared, bs, cs)] == [
        ("db.example", 5432, "railway", "postgres"),
        ("db.example", 5432, "bs", "postgres"),
        ("other.example", 5433, "railway", "root"),
    ]
    assert [len(p.existing_schemas) for p in (shared, bs, cs)] == [1, 0, 0]
    assert [len(p.outside_roles) for p in (shared, bs, cs)] == [1, 0, 0]
    assert [p.analytics_schemas for p in (shared, bs, cs)] == [("a", "public"), ("b",), ("c",)]


def test_a_database_knows_whose_roles_have_nothing_in_it() -> None:
    shared, bs, cs = databases(stack())
    assert [[neighbour.role for neighbour in database.neighbours] for database in (shared, bs, cs)] == [
        ["b_user", "c_user"],
        ["a_user", "c_user"],
        ["a_user", "b_user"],
    ]
    assert [database.guests for database in (shared, bs, cs)] == [set(), {"analytics_readonly"}, set()]


def test_analytics_comes_only_where_it_reads() -> None:
    shared, bs, cs = databases(stack(analytics={"schemas": ["c"]}))
    assert [p.analytics_schemas for p in (shared, bs, cs)] == [(), (), ("c",)]
    assert [p.analytics is None for p in (shared, bs, cs)] == [False, True, False]
    assert [neighbour.role for neighbour in bs.neighbours] == ["a_user", "c_user", "analytics_readonly"]


def test_in_a_database_of_its_own_a_service_has_what_it_has_in_the_shared_one() -> None:
    _, bs, _ = databases(stack())
    reads = {
        Privilege("analytics_readonly", On.DATABASE, "bs", ("CONNECT",)),
        Privilege("analytics_readonly", On.SCHEMA, "bs", ("USAGE",), schema="b"),
        *(Privilege("analytics_readonly", on, "bs", ("SELECT",), schema="b") for on in (On.TABLES, On.SEQUENCES)),
        *(
            Privilege("analytics_readonly", on, "bs", ("SELECT",), schema="b", creator="b_user")
            for on in (On.FUTURE_TABLES, On.FUTURE_SEQUENCES)
        ),
    }
    assert expected(bs) == reads | {
        Privilege("public", On.DATABASE, "bs", ()),
        Privilege("public", On.SCHEMA, "bs", ("USAGE",), schema="public"),
        Privilege("b_user", On.DATABASE, "bs", ("CONNECT", "TEMPORARY")),
        Privilege("public", On.FUTURE_FUNCTIONS, "bs", (), creator="b_user"),
    }


def test_in_the_shared_database_it_has_nothing() -> None:
    shared, *_ = databases(stack())
    assert not [row for row in expected(shared) if {"b_user", "c_user"} & {row.grantee, row.creator}]


def test_services_reach_another_server_where_the_admin_does_unless_stated() -> None:
    assert database_of(stack(), stack().services[2]).service_address.model_dump() == {
        "host": "other.example",
        "port": 5433,
        "sslmode": None,
    }
    stated = stack(databases={"cs": {**THERE, "serviceAddress": {"host": "cs.internal"}}})
    assert database_of(stated, stated.services[2]).service_address.host == "cs.internal"
    assert database_of(stated, stated.services[1]).service_address.host == "db.example"


def test_an_extension_is_where_it_is_stated_or_in_the_shared_database() -> None:
    extensions = {"pgcrypto": None, "vector": {"databases": ["bs", "railway"]}, "hstore": {"databases": ["cs"]}}
    found = databases(stack(extensions=extensions))
    assert [[extension.name for extension in database.extensions] for database in found] == [
        ["pgcrypto", "vector"],
        ["vector"],
        ["hstore"],
    ]


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"services": {**SERVICES, "a": {"database": "railway"}}}, "services.a.database: is the shared database"),
        ({"services": {**SERVICES, "a": {"database": "postgres"}}}, "services.a.database: is a database of the"),
        ({"services": {**SERVICES, "a": {"database": "a?"}}}, "services.a.database: invalid name"),
        ({"services": {**SERVICES, "a": {"database": {"name": "x"}}}}, "services.a.database: must be a text"),
        (
            {"services": {**SERVICES, "a": {"reads": ["b.things"]}}},
            "services.a.reads[0]: is in database bs, but the service is in the shared database: PostgreSQL reads",
        ),
        (
            {"services": {**SERVICES, "b": {"database": "bs", "reads": ["public.users"]}}},
            "services.b.reads[0]: is in the shared database, but the service is in database bs",
        ),
        (
            {"databases": {"cs": {**THERE, "host": "DB.example", "port": 5432}}},
            "databases.cs: is on the server of engarde:",
        ),
        ({"databases": {"cs": {**THERE, "colour": "red"}}}, "databases.cs.colour: unknown key; allowed: host, port"),
        ({"databases": {"cs": {**THERE, "protect": True}}}, "databases.cs.protect: unknown key"),
        ({"databases": {"cs": {**THERE, "user": "c_user"}}}, "databases.cs.user: is also a role that the stack"),
        (
            {"databases": {"cs": {**THERE, "connectionBudget": 14}}},
            "databases.cs.connectionBudget: the connection limits add up to 15, but the budget is 14",
        ),
        (
            {"server": {**SERVER, "connectionBudget": 24}},
            "server.connectionBudget: the connection limits add up to 25, but the budget is 24",
        ),
        ({"extensions": {"vector": {"databases": ["as"]}}}, "extensions.vector.databases[0]: is not a database of"),
        ({"extensions": {"vector": {"schema": "b"}}}, "extensions.vector.schema: is a service's schema"),
        (
            {"existingSchemas": {"gis": None}, "extensions": {"vector": {"schema": "gis", "databases": ["bs"]}}},
            "extensions.vector.schema: is not in database bs",
        ),
        (
            {"databases": {"cs": {**THERE, "user": "adm"}}, "existingSchemas": {"adm": None}},
            "existingSchemas.adm: is the name of an admin's role",
        ),
        (
            {
                "services": {"c": {"database": "cs", "railway": {"variables": {"X": {"unpooled": True}}}}},
                "unpooledAddress": {"host": "h"},
            },
            "services.c.railway.variables.X.unpooled: needs engarde:databases.cs.unpooledAddress",
        ),
        ({"adminPasswords": {"cs": "hunter2"}}, "adminPasswords.cs: is in clear text; set it with `pulumi config set"),
        ({"adminPasswords": {}}, "adminPasswords.cs: missing; set it with"),
        ({"adminPasswords": {**PASSWORDS, "ds": {"secure": "v1:B"}}}, "adminPasswords.ds: is not a key of engarde:"),
    ],
)
def test_each_fault_says_where_what_and_what_is_allowed(sections: dict[str, Any], fault: str) -> None:
    assert any(each.startswith(f"engarde:{fault}") for each in faults(**sections)), faults(**sections)
    assert "hunter2" not in "".join(faults(**sections))


def test_passwords_that_are_encrypted_as_one_are_left_to_pulumi() -> None:
    assert stack(adminPasswords={"secure": "v1:AAAA"}) == stack()


def test_the_program_reads_the_same_stack_as_the_tool() -> None:
    given = {**STACK, "server": SERVER, "adminPasswords": {"cs": "hunter2"}}
    set_mocks(None, project="engarde", stack="prod")
    config = {f"engarde:{name}": json.dumps(value) for name, value in given.items()}
    set_all_config({**config, "engarde:adminPassword": "hunter1"}, ["engarde:adminPassword", "engarde:adminPasswords"])
    assert declared_stack() == stack()
