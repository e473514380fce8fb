"""Settings that a stack file gives to roles: which, in what words, and what the program makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.declaration.parameters import COMPARED, Parameters
from engarde.errors import ConfigError
from engarde.server import role_settings

SERVER = {"host": "h", "database": "d"}


def stack(settings: dict[str, Any], **server: Any) -> Stack:
    services = {"a": {"settings": settings, "tempFileLimit": 0}}
    return parse("s", {"server": {**SERVER, **server}, "services": services}, {"adminPassword"})


@pytest.mark.parametrize(
    ("name", "stated", "value"),
    [
        ("work_mem", "16MB", "16MB"),
        ("lock_timeout", 5000, "5000"),
        ("lock_timeout", "5 s", "5 s"),
        ("log_min_duration_statement", -1, "-1"),
        ("random_page_cost", 1.1, "1.1"),
        ("default_statistics_target", 500, "500"),
        ("jit", False, "off"),
        ("jit", "on", "on"),
    ],
)
def test_what_is_stated_is_set(name: str, stated: object, value: str) -> None:
    declared = stack({name: stated})
    [service] = declared.services
    assert role_settings.declared(service, declared.server) == {name: value}
    assert role_settings.changes(service, declared.server, {}) == [f"""ALTER ROLE "a_user" SET {name} = '{value}'"""]
    assert role_settings.changes(service, declared.server, {name: value}) == []


def test_other_words_for_the_same_are_no_drift() -> None:
    found = {"work_mem": "16384", "lock_timeout": "5s", "log_min_duration_statement": "-1", "jit": "0"}
    declared = stack({"work_mem": "16MB", "lock_timeout": 5000, "log_min_duration_statement": -1, "jit": "off"})
    assert role_settings.changes(declared.services[0], declared.server, found) == []
    assert len(role_settings.changes(declared.services[0], declared.server, {**found, "work_mem": "8MB"})) == 1


def test_only_what_the_stack_has_set_is_taken_back() -> None:
    declared = stack({})
    [service], found = declared.services, {"work_mem": "64MB", "jit": "off", "search_path": "a"}
    assert role_settings.changes(service, declared.server, found) == []
    assert role_settings.changes(service, declared.server, found, {"work_mem"}) == [
        'ALTER ROLE "a_user" RESET work_mem'
    ]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"search_path": "x"}, "settings.search_path: unknown key; allowed: work_mem, maintenance_work_mem,"),
        ({"role": "postgres"}, "settings.role: unknown key"),
        ({"session_authorization": "postgres"}, "settings.session_authorization: unknown key"),
        ({"statement_timeout": 5}, "settings.statement_timeout: unknown key"),
        ({"workMem": "16MB"}, "settings.workMem: unknown key"),
        ({"work_mem": 16}, "settings.work_mem: must be a text"),
        ({"work_mem": "16"}, "settings.work_mem: must be a size"),
        ({"work_mem": "1kB"}, "settings.work_mem: must be a size of at least 64kB"),
        ({"work_mem": "9999GB"}, "settings.work_mem: must be a size"),
        ({"lock_timeout": "soon"}, "settings.lock_timeout"),
        ({"lock_timeout": -1}, "settings.lock_timeout: must be a time"),
        ({"lock_timeout": True}, "settings.lock_timeout: must be a time"),
        ({"jit": 1}, "settings.jit: must be on or off"),
        ({"random_page_cost": -1}, "settings.random_page_cost: must be a number from 0"),
        ({"jit": "maybe"}, "settings.jit"),
    ],
)
def test_nothing_else_is(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack(settings)
    assert f"engarde:services.a.{fault}" in str(caught.value)


def test_what_takes_a_superuser_is_refused_to_another_admin() -> None:
    with pytest.raises(ConfigError, match=r"settings\.log_min_duration_statement: needs an admin that is a superuser"):
        stack({"log_min_duration_statement": 500}, superuser=False)
    assert stack({"work_mem": "16MB"}, superuser=False).services[0].settings.work_mem == "16MB"


def test_every_one_is_compared() -> None:
    assert set(Parameters.model_fields) == set(COMPARED)
