"""How the comparison grows: with ten thousand tables and twenty thousand functions that somebody has granted."""

from __future__ import annotations

import time
from typing import Any

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import PASSWORD_KEY, parse
from engarde.server.catalog import Catalog, Database, Entry, Relation, Role, Schema
from engarde.verify.report import matrix
from tests.unit.observed import found as asked

SERVER = {"host": "127.0.0.1", "database": "railway"}
SERVICES = [f"s{number}" for number in range(20)]
CHECKS = ("owner", "schema", "grant", "undeclared grant", "grant option", "owner's right", "security definer")
WRITING = ("INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def role(name: str, superuser: bool = False) -> Role:
    return Role(name, superuser, False, superuser, True, False, False, True, False, False, 10, False, False)


def entry(kind: str, schema: str, name: str, grantee: str, right: str) -> Entry:
    identity, owner = f"{schema}.{name}", f"{schema}_user"
    return Entry(kind, schema, name, identity, None, owner, grantee, owner, right, grantable=False, guarded=False)


def catalog(tables: int, functions: int) -> Catalog:
    """Each schema's part of so many, all of it granted to another service, the tables to analytics as declared."""
    relations, entries = [], []
    for number in range(tables):
        schema, name = SERVICES[number % len(SERVICES)], f"t{number}"
        relations.append(
            Relation("table", schema, name, f"{schema}.{name}", f"{schema}_user", True, False, False, ["a"], None)
        )
        entries.append(entry("table", schema, name, "analytics_readonly", "SELECT"))
        entries += [entry("table", schema, name, "s0_user", right) for right in WRITING if schema != "s0"]
    for number in range(functions):
        entries.append(entry("function", SERVICES[number % len(SERVICES)], f"f{number}()", "s0_user", "EXECUTE"))
    roles = [
        role("postgres", superuser=True),
        role("analytics_readonly"),
        *(role(f"{service}_user") for service in SERVICES),
    ]
    more: dict[str, Any] = dict.fromkeys(
        ("memberships", "settings", "strangers", "lost", "defaults", "views", "inherits", "definers"), ()
    )
    return Catalog(
        major=17,
        roles={each.name: each for each in roles},
        databases={"railway": Database("railway", "railway", "postgres", -1)},
        schemas={service: Schema(service, service, f"{service}_user", False) for service in SERVICES},
        relations=tuple(relations),
        entries=tuple(entries),
        **more,
    )


def seconds(tables: int, functions: int) -> float:
    """Of this process's own work."""
    declared = {"server": SERVER, "services": dict.fromkeys(SERVICES), "analytics": {}}
    stack = restrict_to(parse("local", declared, {PASSWORD_KEY}), None)
    found = catalog(tables, functions)
    start = time.process_time()
    findings = asked(stack, found, *CHECKS)
    rows = matrix(stack, found, findings)
    taken = time.process_time() - start
    assert len(rows) == len(SERVICES) + 2
    assert sum(finding.check == "undeclared grant" for finding in findings) > len(SERVICES)
    return taken


def test_eight_times_as_many_take_about_eight_times_as_long() -> None:
    seconds(500, 1000)  # what is made once in a process, as compiled expressions, is not the comparison's
    small, large = min(seconds(500, 1000) for _ in range(3)), min(seconds(4000, 8000) for _ in range(3))
    assert large < 14 * small, (small, large)
