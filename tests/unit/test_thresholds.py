"""Thresholds of `bin/engarde status`: sizes as PostgreSQL spells them, and a service's own before everybody's."""

from __future__ import annotations

from typing import Any

import pytest

from engarde.declaration.declared import Thresholds
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError


def stack(**sections: Any) -> Stack:
    return parse("prod", {"server": {"host": "h", "database": "d"}, **sections}, {"adminPassword"})


@pytest.mark.parametrize(
    ("written", "size"),
    [(1, 1), ("1 B", 1), ("3kB", 3072), ("500 MB", 500 << 20), ("10 GB", 10 << 30), ("2TB", 2 << 40)],
)
def test_sizes(written: Any, size: int) -> None:
    assert stack(status={"size": written}).status.size == size


@pytest.mark.parametrize("written", [0, -1, 1.5, True, "10", "10 gb", "1.5 GB", "GB", "0 MB", "٣ MB", "9" * 16 + " B"])
def test_what_is_no_size(written: Any) -> None:
    with pytest.raises(ConfigError, match=r"engarde:status\.size: .*a size such as 500 MB or 10 GB"):
        stack(status={"size": written})


def test_a_services_own_thresholds_come_before_everybodys() -> None:
    found = stack(
        status={"size": "1 GB", "connections": 80, "databaseSize": "5 GB"},
        services={"a": {"status": {"size": "2 GB", "slowStatement": 50}}, "b": None},
        existingSchemas={"public": {"status": {"connections": 90}}},
    )
    a, b = (service.status or Thresholds() for service in found.services)
    assert a.over(found.status).model_dump() == {"size": 2 << 30, "connections": 80, "slow_statement": 50}
    assert b.over(found.status).model_dump() == {"size": 1 << 30, "connections": 80, "slow_statement": None}
    assert found.existing_schemas[0].status == Thresholds(connections=90)
    assert stack().status.model_dump() == dict.fromkeys(
        ("size", "connections", "slow_statement", "database_size", "retained_wal")
    )


def test_what_does_not_belong_there_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        stack(
            status={"x": 1},
            analytics={"status": {"size": 1}},
            services={"a": {"status": {"databaseSize": 1}, "migrations": {"path": "p", "x": 1}}},
        )
    assert str(caught.value).splitlines()[1:] == [
        "  engarde:analytics.status.size: analytics owns no schema, so it has no size; remove it",
        "  engarde:services.a.migrations.x: unknown key; allowed: path, command, variable, urlFormat, environment",
        "  engarde:services.a.status.databaseSize: unknown key; allowed: size, connections, slowStatement",
        "  engarde:status.x: unknown key; allowed: size, connections, slowStatement, databaseSize, retainedWal",
    ]
