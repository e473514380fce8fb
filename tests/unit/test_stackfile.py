"""Stack files: what they may say, every fault in one run, no value in a message, one result for both readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import set_all_config, set_mocks

from components.engine import declared_stack
from engarde.errors import ConfigError
from engarde.model import Stack
from engarde.stackfile import parse, read

SECRETS = {"adminPassword"}
SERVER = {"host": "db.example", "database": "railway"}
PROJECT = Path(__file__).resolve().parents[2]


def stack(**sections: Any) -> Stack:
    return parse("prod", {"server": SERVER, **sections}, SECRETS)


def faults(secrets: set[str] = SECRETS, **sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse("prod", {"server": SERVER, **sections}, secrets)
    first, *lines = str(raised.value).splitlines()
    assert first == "Pulumi.prod.yaml has faults; nothing was changed:"
    return [line.removeprefix("  ") for line in lines]


def only_fault(**sections: Any) -> str:
    found = faults(**sections)
    assert len(found) == 1, found
    return found[0]


def test_a_bare_service_means_all_defaults() -> None:
    (service,) = stack(services={"sankore": None}).services
    assert (service.name, service.schema_, service.role) == ("sankore", "sankore", "sankore_user")
    assert (service.connection_limit, service.statement_timeout, service.idle_in_transaction_session_timeout) == (
        10,
        0,
        60_000,
    )
    assert (service.reads, service.rotation, service.url_format) == ((), 1, "plain")
    assert (service.protect, service.adopt) == (False, False)


def test_services_reach_the_server_where_the_admin_does_unless_stated() -> None:
    server = {**SERVER, "port": 5433, "sslmode": "require"}
    assert parse("prod", {"server": server}, SECRETS).service_address.model_dump() == {
        "host": "db.example",
        "port": 5433,
        "sslmode": None,
    }
    address = stack(serviceAddress={"host": "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"}).service_address
    assert address.host == "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"


def test_protect_is_the_servers_unless_a_service_says_otherwise() -> None:
    found = parse(
        "prod",
        {
            "server": {**SERVER, "protect": True},
            "services": {"a": None, "b": {"protect": False}},
            "analytics": None,
        },
        SECRETS,
    )
    assert [login.protect for login in found.logins] == [True, False, True]


@pytest.mark.parametrize(
    ("declared", "table", "columns"),
    [
        ("public.users", ("public", "users"), None),
        ('"My.Schema"."the ""table"""', ("My.Schema", 'the "table"'), None),
        ({"table": "public.Users", "columns": ["id", "E-Mail"]}, ("public", "Users"), ("id", "E-Mail")),
    ],
)
def test_reads(declared: Any, table: tuple[str, str], columns: tuple[str, ...] | None) -> None:
    found = stack(services={"a": {"reads": [declared]}}, existingSchemas={"public": None, "My.Schema": None})
    (row,) = found.services[0].reads
    assert ((row.schema_, row.table), row.columns) == (table, columns)


def test_analytics_reads_every_declared_schema_unless_stated() -> None:
    sections = {"services": {"a": {"schema": "x"}, "b": None}, "existingSchemas": {"public": None}}
    assert stack(**sections).analytics_schemas == ()
    assert stack(**sections, analytics=None).analytics_schemas == ("x", "b", "public")
    assert stack(**sections, analytics={"schemas": ["b"]}).analytics_schemas == ("b",)


def test_the_admin_makes_the_tables_of_an_existing_schema_unless_stated() -> None:
    found = stack(existingSchemas={"public": None, "legacy": {"creators": ["backend"]}})
    assert {e.name: e.creators for e in found.existing_schemas} == {"public": ("postgres",), "legacy": ("backend",)}


ODD = ["Mädan-Sara", "a b", "O'Brien", 'quo"te', "x" * 58, "數據", "on", "null"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names(name: str) -> None:
    assert stack(services={name: None}).services[0].role == f"{name}_user"


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"servces": {}}, "engarde:servces: unknown key; allowed: server, serviceAddress, services"),
        ({"services": {"a": {"limit": 3}}}, "engarde:services.a.limit: unknown key; allowed: connectionLimit"),
        ({"services": ["a"]}, "engarde:services: must be a map"),
        ({"services": {"a": 5}}, "engarde:services.a: must be a map, or bare for all defaults"),
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
        ({"services": {"pg_a": None}}, "engarde:services.pg_a.schema: invalid name: reserved"),
        ({"services": {"a": {"schema": "public"}}}, "engarde:services.a.schema: reserved name: public belongs to"),
        ({"services": {"a": {"schema": "$user"}}}, "engarde:services.a.schema: reserved name"),
        ({"services": {"a": {"schema": "information_schema"}}}, "engarde:services.a.schema: reserved name"),
        ({"services": {"a": {"schema": "b\0"}}}, "engarde:services.a.schema: invalid name: holds a control"),
        ({"services": {"": {"schema": "b"}}}, "engarde:services.'': invalid name: empty"),
        ({"services": {"admin": None}}, "engarde:services.admin: reserved name: admin and analytics"),
        ({"services": {"x" * 59: None}}, f"engarde:services.{'x' * 59}: invalid name: longer than 63 bytes with"),
        ({"services": {"é" * 30: None}}, f"engarde:services.{'é' * 30}: invalid name: longer than 63 bytes with"),
        (
            {"services": {"a": None, "b": {"schema": "a"}}},
            "engarde:services.b.schema: schema a is declared twice, also by engarde:services.a",
        ),
        (
            {"services": {"a": {"schema": "x"}}, "existingSchemas": {"x": None}},
            "engarde:services.a.schema: schema x is declared twice, also by engarde:existingSchemas",
        ),
        (
            {"services": {"a": {"reads": ["public.users"]}}},
            "engarde:services.a.reads: public.users: schema public is not declared; allowed: a",
        ),
        ({"services": {"a": {"reads": ["a.t"]}}}, "engarde:services.a.reads: a.t: its own schema needs no read"),
        ({"services": {"a": {"reads": ["users"]}}}, "engarde:services.a.reads[0]: not of the form schema.table"),
        (
            {"services": {"a": {"reads": ["b.t", {"table": "b.t", "columns": ["x"]}]}, "b": None}},
            "engarde:services.a.reads: 'b.t(x)': the same table twice",
        ),
        ({"analytics": {"schemas": ["nope"]}}, "engarde:analytics.schemas: nope is no declared schema"),
        ({"extensions": {"vector": {"schema": "nope"}}}, "engarde:extensions.vector.schema: nope is no declared"),
        ({"outsideRoles": {"postgres": None}}, "engarde:outsideRoles.postgres: the admin keeps its access"),
        ({"outsideRoles": {"public": None}}, "engarde:outsideRoles.public: PUBLIC is everybody"),
        (
            {"outsideRoles": {"a_user": None}, "services": {"a": None}},
            "engarde:outsideRoles.a_user: the stack makes this role itself",
        ),
        (
            {"outsideRoles": {"b": {"schemas": {"x": ["USAGE"]}}}},
            "engarde:outsideRoles.b.schemas.x: no existing schema of the stack",
        ),
        ({"server": {**SERVER, "user": "a_user"}, "services": {"a": None}}, "engarde:server.user: also a role"),
        (
            {"server": {**SERVER, "superuser": False, "closeOtherDatabases": True}},
            "engarde:server.closeOtherDatabases: needs an admin that is a superuser",
        ),
        (
            {"server": {**SERVER, "connectionBudget": 24}, "services": {"a": None, "b": None}, "analytics": None},
            "engarde:server.connectionBudget: the connection limits together are 25, the budget is 24",
        ),
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
        "engarde:services.a.reads",
        "engarde:services.a.reads[1]",
        "engarde:services.a.reads[2].column",
        "engarde:services.b.schema",
        "engarde:services.pg_c.schema",
    ]


@pytest.mark.parametrize(
    "address", ["mysql://u:hunter2@h/db", "mysql+pymysql://u:hunter2@h", "jdbc:mysql://h", "MariaDB://u:hunter2@h"]
)
@pytest.mark.parametrize("place", ["server", "services", "analytics"])
def test_mysql_is_refused_by_name_wherever_it_stands(address: str, place: str) -> None:
    section: dict[str, Any] = {
        "server": {**SERVER, "host": address},
        "services": {"scheduler": {"url": [{"deep": address}]}},
        "analytics": {address: 1},
    }
    sections = {place: section[place]}
    found = [fault for fault in faults(**sections) if "MySQL address" in fault]
    assert len(found) == 1
    assert "hunter2" not in str(faults(**sections))


def test_the_admins_password_is_a_secret_and_nothing_else_is() -> None:
    assert (
        "stands in clear; set it with `pulumi config set --secret adminPassword"
        in faults(secrets=set(), adminPassword="hunter2")[0]
    )
    assert faults(secrets=set())[0].startswith("engarde:adminPassword: missing; set it with")
    assert only_fault(secrets={*SECRETS, "services"}, services={"a": None}).startswith(
        "engarde:services: must not be a secret"
    )
    nested = faults(services={"a": {"schema": {"secure": "v1:x"}}})
    assert "engarde:services.a.schema: must not be a secret; only the admin's password is" in nested


def test_a_missing_or_broken_file_is_one_message_without_its_content(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.nope\.yaml: no such file"):
        read(tmp_path, "nope")
    for text in ("config:\n  engarde:server: {host: hunter2", "a: 1\na: hunter2", "\x00hunter2", "config: [\thunter2"):
        (tmp_path / "Pulumi.bad.yaml").write_text(text)
        with pytest.raises(ConfigError, match=r"Pulumi\.bad\.yaml(:\d+:\d+)?: not valid YAML") as raised:
            read(tmp_path, "bad")
        assert "hunter2" not in str(raised.value)
    (tmp_path / "Pulumi.bad.yaml").write_text("- hunter2")
    with pytest.raises(ConfigError, match="no map `config` at the top"):
        read(tmp_path, "bad")


def test_production_is_complete_but_for_the_address_and_the_password() -> None:
    with pytest.raises(ConfigError) as raised:
        read(PROJECT, "prod")
    assert [line.strip().partition(": ")[0] for line in str(raised.value).splitlines()[1:]] == [
        "engarde:adminPassword",
        "engarde:server.host",
    ]


def test_program_and_tool_read_equal_values(tmp_path: Path) -> None:
    text = (PROJECT / "Pulumi.prod.yaml").read_text().replace("# host: HOST.proxy.rlwy.net", "host: db.example")
    (tmp_path / "Pulumi.stack.yaml").write_text(text + "  engarde:adminPassword:\n    secure: v1:AAAA\n")
    tool = read(tmp_path, "stack")
    # As the engine hands them over: maps as JSON, a bare top key as empty text, the secret decrypted.
    set_mocks(Mock(), project="engarde", stack="stack")
    set_all_config(
        {
            "engarde:server": json.dumps(tool.server.model_dump(by_alias=True, exclude_none=True)),
            "engarde:serviceAddress": '{"host":"postgres.railway.internal","port":5432}',
            "engarde:services": '{"madansara":{"reads":["public.users","public.brand_users"]},'
            '"sankore":null,"onside":null,"langflow":null}',
            "engarde:existingSchemas": '{"public":{"service":"production-backend","creators":["postgres"]}}',
            "engarde:analytics": "",
            "engarde:adminPassword": "hunter2",
        },
        ["engarde:adminPassword"],
    )
    assert declared_stack() == tool


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("mysql://a:b@c")
KEYS = st.sampled_from(
    ["server", "services", "analytics", "host", "port", "reads", "schema", "connectionLimit", "a", "public", "columns"]
) | st.text(max_size=6)
TREES = st.recursive(SCALARS, lambda t: st.lists(t, max_size=3) | st.dictionaries(KEYS, t, max_size=4), max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=5), st.booleans())
def test_any_document_is_a_stack_or_one_message(document: dict[str, Any], with_password: bool) -> None:
    try:
        parse("fuzz", document, SECRETS if with_password else set())
    except ConfigError as error:
        assert str(error).startswith("Pulumi.fuzz.yaml has faults")
