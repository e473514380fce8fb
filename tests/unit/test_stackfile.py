"""Stack files: what they may say, every fault in one run, no value in a message, one result for both readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pulumi.runtime import set_all_config

from components.engine import declared_stack
from engarde.declaration.loader import parse
from engarde.declaration.model import Login, Stack
from engarde.errors import ConfigError
from engarde.pulumi_cli.stacks import read
from tests.unit.mocked import set_mocks

SECRETS = {"adminPassword"}
SERVER = {"host": "db.example", "database": "railway"}
PROJECT = Path(__file__).resolve().parents[2]


def stack(**sections: Any) -> Stack:
    return parse("prod", {"server": SERVER, **sections}, SECRETS)


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


def test_where_urls_go_on_railway() -> None:
    found = stack(
        railway={"project": "engarde", "environment": "production"},
        unpooledAddress={"host": "db.internal"},
        services={
            "a": None,
            "b": {"railway": {"service": ["b-web", "b-worker"]}},
            "c": {"railway": {"service": "C", "variables": {"DIRECT": {"unpooled": True, "urlFormat": "jdbc"}}}},
        },
    )
    assert found.railway is not None and found.unpooled_address is not None
    a, b, c = found.services
    assert a.railway is None
    assert b.railway is not None and b.railway.service == ("b-web", "b-worker")
    assert list(b.railway.variables) == ["DATABASE_URL"]
    assert c.railway is not None and c.railway.service == ("C",)
    assert c.railway.variables["DIRECT"].model_dump(exclude_none=True) == {"url_format": "jdbc", "unpooled": True}


def test_where_migrations_are() -> None:
    (service,) = stack(services={"a": {"migrations": {"path": "../a", "command": ["uv", "run", "alembic"]}}}).services
    assert service.migrations is not None
    assert service.migrations.model_dump() == {
        "path": "../a",
        "command": ("uv", "run", "alembic"),
        "variable": "DATABASE_URL",
        "url_format": None,
        "environment": (),
    }


def test_faults_of_what_goes_to_railway() -> None:
    verifying = {"host": "db.internal", "sslmode": "verify-full"}
    with pytest.raises(ConfigError) as caught:
        stack(
            serviceAddress=verifying,
            services={
                "a": {"railway": {"service": "web", "variables": {"A": {"unpooled": True}, "9": {}}}},
                "b": {"railway": {"service": "Web", "variables": {"X": {"urlFormat": "sqlalchemy+pg8000"}, "Y": {}}}},
                "c": {"railway": {"service": ["web", " "]}},
                "d": {"railway": {"service": "WEB", "variables": {"Y": {}}}},
                "e": {"railway": {"variables": {"Z": {"unpooled": True}}}},
            },
            analytics={"railway": {}},
        )
    lines = str(caught.value).splitlines()[1:]
    allowed = "allowed: " + (Login.model_fields["railway"].description or "")
    needs = "needs engarde:railway, which names the project and the environment"
    assert lines == [
        f"  engarde:analytics.railway: {needs}",
        "  engarde:analytics.railway.service: missing; analytics has no default Railway service",
        f"  engarde:services.a.railway.variables.9: not of the allowed form; {allowed}",
        f"  engarde:services.b.railway: {needs}",
        "  engarde:services.b.railway.variables.X.urlFormat:"
        " this form has no sslmode, and pg8000 does not verify certificates",
        f"  engarde:services.c.railway.service[1]: not of the allowed form; {allowed}",
        "  engarde:services.d.railway: engarde:services.b.railway already sets Y of the same Railway service",
        f"  engarde:services.d.railway: {needs}",
        f"  engarde:services.e.railway: {needs}",
        "  engarde:services.e.railway.variables.Z.unpooled: needs engarde:unpooledAddress",
    ]


def test_two_services_cannot_set_one_variable_by_default_either() -> None:
    services: dict[str, Any] = {"a": None, "A": None, "b": {"railway": {"service": "c"}}, "c": None}
    assert len(stack(services={"a": None, "A": None}).services) == 2
    with pytest.raises(ConfigError) as caught:
        stack(railway={"project": "p", "environment": "e"}, services=services)
    already = "already sets DATABASE_URL of the same Railway service"
    assert str(caught.value).splitlines()[1:] == [
        f"  engarde:services.a.railway: engarde:services.A.railway {already}",
        f"  engarde:services.c.railway: engarde:services.b.railway {already}",
    ]


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


def test_roles_have_the_services_name_unless_stated() -> None:
    found = stack(services={"a": {"role": "Staging A"}, "b": None, "x" * 60: {"role": "x"}}, analytics={"role": "r"})
    assert [login.role for login in found.logins] == ["Staging A", "b_user", "x", "r"]
    assert [login.role for login in stack(analytics={}).logins] == ["analytics_readonly"]


ODD = ["Mädan-Sara", "a b", "O'Brien", "50% off", "x" * 58, "數據", "on", "null"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names(name: str) -> None:
    assert stack(services={name: None}).services[0].role == f"{name}_user"


@pytest.mark.parametrize("name", ['quo"te', "back\\slash"])
def test_a_name_that_no_search_path_keeps_needs_a_schema_of_another_name(name: str) -> None:
    assert stack(services={name: {"schema": "plain"}}).services[0].role == f"{name}_user"
    with pytest.raises(ConfigError, match=r"\.schema: invalid name: holds a double quote or a backslash"):
        stack(services={name: None})


def test_a_missing_or_broken_file_is_one_message_without_its_content(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no file Pulumi\.nope\.yaml; it has none"):
        read(tmp_path, "nope")
    for text in ("config:\n  engarde:server: {host: hunter2", "\x00hunter2", "config: [\thunter2"):
        (tmp_path / "Pulumi.bad.yaml").write_text(text)
        with pytest.raises(ConfigError, match=r"Pulumi\.bad\.yaml(:\d+:\d+)?: not valid YAML") as raised:
            read(tmp_path, "bad")
        assert "hunter2" not in str(raised.value)
    for text, key, line in (
        ("a: hunter1\na: hunter2", "2:1: duplicate key a", 1),
        (
            "config:\n  engarde:extensions: {hunter1: 1}\n  x: 1\n  engarde:extensions: hunter2\n",
            "4:3: duplicate key engarde:extensions",
            2,
        ),
        ("a: &it\n  - hunter1\n  - *it\nb: [{c: hunter1, 'c': hunter2}]", "4:18: duplicate key c", 4),
        ("a: &it {b: *it}\nc: {1: hunter1,\n1: hunter2}", "3:1: duplicate key 1", 2),
    ):
        (tmp_path / "Pulumi.bad.yaml").write_text(text)
        with pytest.raises(ConfigError) as raised:
            read(tmp_path, "bad")
        assert str(raised.value) == f"Pulumi.bad.yaml:{key}, first at line {line}"
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
