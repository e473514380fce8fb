"""Faults of a stack file: each with its place, what is wrong and what is allowed, all in one run, none with a value."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.loader import parse
from engarde.errors import ConfigError

SECRETS = {"adminPassword"}
SERVER = {"host": "db.example", "database": "railway"}


def faults(secrets: set[str] = SECRETS, **sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse("prod", {"server": SERVER, **sections}, secrets)
    first, *lines = str(raised.value).splitlines()
    assert first == "Pulumi.prod.yaml has faults. Nothing was changed."
    return [line.removeprefix("  ") for line in lines]


def only_fault(**sections: Any) -> str:
    found = faults(**sections)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"servces": {}}, "engarde:servces: unknown key; allowed: server, serviceAddress, unpooledAddress, services"),
        ({"services": {"a": {"limit": 3}}}, "engarde:services.a.limit: unknown key; allowed: connectionLimit"),
        ({"services": ["a"]}, "engarde:services: must be a map"),
        ({"services": {"a": 5}}, "engarde:services.a: must be a map, or empty for all defaults"),
        ({"services": {"a": {"name": "b"}}}, "engarde:services.a.name: unknown key; the name is the key above it"),
        (
            {"services": {"a": {"connectionLimit": "10"}}},
            "engarde:services.a.connectionLimit: must be a whole number; allowed: 1 to 100",
        ),
        (
            {"services": {"a": {"connectionLimit": 0}}},
            "engarde:services.a.connectionLimit: must be greater than or equal to 1; allowed: 1 to 100",
        ),
        (
            {"services": {"a": {"connectionLimit": 101}}},
            "engarde:services.a.connectionLimit: must be less than or equal to 100; allowed: 1 to 100",
        ),
        (
            {"services": {"a": {"protect": "yes"}}},
            "engarde:services.a.protect: must be true or false",
        ),
        ({"services": {"a": {"urlFormat": "odbc"}}}, "engarde:services.a.urlFormat: must be 'plain', 'options'"),
        (
            {
                "services": {"a": {"urlFormat": "sqlalchemy+pg8000"}},
                "serviceAddress": {"host": "h", "sslmode": "verify-full"},
            },
            "engarde:services.a.urlFormat: this form has no sslmode, and pg8000 does not verify certificates, but",
        ),
        (
            {
                "analytics": {"urlFormat": "sqlalchemy+pg8000"},
                "serviceAddress": {"host": "h", "sslmode": "verify-ca"},
                "services": {"a": None},
            },
            "engarde:analytics.urlFormat: this form has no sslmode",
        ),
        (
            {"services": {"a": {"urlFormat": "prisma"}}, "serviceAddress": {"host": "h", "sslmode": "verify-full"}},
            "engarde:services.a.urlFormat: Prisma's own engine, which runs its migrations, takes that mode for prefer",
        ),
        ({"services": {"pg_a": None}}, "engarde:services.pg_a.schema: invalid name: reserved"),
        ({"services": {"a": {"schema": "public"}}}, "engarde:services.a.schema: reserved name: public belongs to"),
        ({"services": {"a": {"schema": "$user"}}}, "engarde:services.a.schema: reserved name"),
        ({"services": {"a": {"schema": "information_schema"}}}, "engarde:services.a.schema: reserved name"),
        ({"services": {'a"': None}}, "engarde:services.'a\"'.schema: invalid name: holds a double quote or"),
        ({"services": {"a": {"schema": "b\0"}}}, "engarde:services.a.schema: invalid name: holds a control"),
        ({"services": {"": {"schema": "b"}}}, "engarde:services.'': invalid name: empty"),
        (
            {"services": {"postgresql://u:hunter2@h/d": None}},
            "engarde:services.(a key that looks like an address).schema: invalid name: is an address",
        ),
        ({"services": {"admin": None}}, "engarde:services.admin: reserved name: admin and analytics"),
        ({"services": {"x" * 59: None}}, f"engarde:services.{'x' * 59}: invalid name: longer than 63 bytes with"),
        ({"services": {"é" * 30: None}}, f"engarde:services.{'é' * 30}: invalid name: longer than 63 bytes with"),
        (
            {"services": {"a": None, "b": {"schema": "a"}}},
            "engarde:services.b.schema: engarde:services.a declares the same schema",
        ),
        (
            {"services": {"a": {"schema": "x"}}, "existingSchemas": {"x": None}},
            "engarde:services.a.schema: engarde:existingSchemas declares the same schema",
        ),
        (
            {"services": {"a": {"reads": ["public.users"]}}},
            "engarde:services.a.reads[0]: its schema is not declared; allowed: a",
        ),
        ({"services": {"a": {"reads": ["a.t"]}}}, "engarde:services.a.reads[0]: is in the service's own schema"),
        ({"services": {"a": {"reads": ["users"]}}}, "engarde:services.a.reads[0]: not of the form schema.table"),
        (
            {"services": {"a": {"reads": ["b.t", {"table": "b.t", "columns": ["x"]}]}, "b": None}},
            "engarde:services.a.reads[0]: is listed twice",
        ),
        ({"services": {"a": None}, "analytics": {"schemas": ["a", "a"]}}, "engarde:analytics.schemas: has the same"),
        (
            {"existingSchemas": {"x": {"creators": ["b", "b"]}}},
            "engarde:existingSchemas.x.creators: has the same item twice; allowed: a list of the roles",
        ),
        ({"outsideRoles": {"b": {"database": ["CONNECT"] * 2}}}, "engarde:outsideRoles.b.database: has the same"),
        (
            {"services": {"a": {"reads": [{"table": "b.t", "columns": ["x", "x"]}]}, "b": None}},
            "engarde:services.a.reads[0].columns: has the same item twice",
        ),
        ({"analytics": {"schemas": ["nope"]}}, "engarde:analytics.schemas[0]: is not a declared schema; no"),
        (
            {"extensions": {"vector": {"schema": "nope"}}},
            "engarde:extensions.vector.schema: is not a declared schema; allowed: public",
        ),
        (
            {"services": {"a": None}, "extensions": {"citext": {"schema": "a"}}, "existingSchemas": {"b": None}},
            "engarde:extensions.citext.schema: is a service's schema: the service could choose what CREATE EXTENSION"
            " runs with the admin's privileges; allowed: b, public",
        ),
        (
            {"services": {"postgres": None}},
            "engarde:services.postgres: is the name of an admin's role, whose search_path begins with the schema of"
            " that name (`$user`): its owner could choose what runs with the admin's privileges; use another name",
        ),
        ({"services": {"a": {"schema": "postgres"}}}, "engarde:services.a.schema: is the name of an admin's role"),
        ({"existingSchemas": {"postgres": None}}, "engarde:existingSchemas.postgres: is the name of an admin's"),
        ({"outsideRoles": {"postgres": None}}, "engarde:outsideRoles.postgres: the admin keeps its access"),
        ({"outsideRoles": {"public": None}}, "engarde:outsideRoles.public: PUBLIC is everybody"),
        (
            {"outsideRoles": {"a_user": None}, "services": {"a": None}},
            "engarde:outsideRoles.a_user: the stack creates this role itself",
        ),
        (
            {"outsideRoles": {"b": {"schemas": {"x": ["USAGE"]}}}},
            "engarde:outsideRoles.b.schemas.x: is not an existing schema of the stack",
        ),
        (
            {"services": {"a": None, "b": {"role": "a_user"}}},
            "engarde:services.b.role: engarde:services.a declares the same role",
        ),
        (
            {"services": {"a": {"role": "reader"}}, "analytics": {"role": "reader"}},
            "engarde:analytics.role: engarde:services.a declares the same role",
        ),
        ({"services": {"a": {"role": "none"}}}, "engarde:services.a.role: reserved name; allowed: a role name of"),
        ({"analytics": {"role": "pg_reader"}}, "engarde:analytics.role: invalid name: reserved"),
        (
            {"outsideRoles": {"reader": None}, "analytics": {"role": "reader"}},
            "engarde:outsideRoles.reader: the stack creates this role itself",
        ),
        ({"server": {**SERVER, "user": "a_user"}, "services": {"a": None}}, "engarde:server.user: is also a role"),
        (
            {"server": {**SERVER, "superuser": False, "closeOtherDatabases": True}},
            "engarde:server.closeOtherDatabases: needs an admin that is a superuser",
        ),
        (
            {"server": {**SERVER, "connectionBudget": 24}, "services": {"a": None, "b": None}, "analytics": None},
            "engarde:server.connectionBudget: the connection limits add up to 25, but the budget is 24",
        ),
        ({"server": {"database": "d?x", "host": "h"}}, "engarde:server.database: invalid name: holds %, ? or #"),
        ({"server": {"database": "d", "host": "postgres://h"}}, "engarde:server.host: not of the allowed form"),
        ({"server": {"database": "d"}}, "engarde:server.host: missing; allowed: a host name or an address"),
    ],
)
def test_each_fault_says_where_what_and_what_is_allowed(sections: dict[str, Any], fault: str) -> None:
    assert only_fault(**sections).startswith(fault)


def test_every_fault_is_reported_in_one_run() -> None:
    found = faults(
        secrets=set(),
        server={"host": "h", "port": 0, "database": "railway", "connectionBudget": 5},
        services={
            "a": {"connectionLimit": 0, "reads": ["nope.t", 3, {"table": "b.t", "column": []}], "colour": "red"},
            "b": {"schema": "a"},
            "pg_c": None,
        },
        analytics=[],
        more=1,
    )
    assert [fault.partition(": ")[0] for fault in found] == [
        "engarde:adminPassword",
        "engarde:analytics",
        "engarde:more",
        "engarde:server.connectionBudget",
        "engarde:server.port",
        "engarde:services.a.colour",
        "engarde:services.a.connectionLimit",
        "engarde:services.a.reads[0]",
        "engarde:services.a.reads[1]",
        "engarde:services.a.reads[2].column",
        "engarde:services.b.schema",
        "engarde:services.pg_c.schema",
    ]
