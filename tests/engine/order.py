"""Which resources the engine may change at the same time, by the dependencies in its state."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

ROLE, SCHEMA = "postgresql:index/role:Role", "postgresql:index/schema:Schema"
GRANT, FUTURE = "postgresql:index/grant:Grant", "postgresql:index/defaultPrivileges:DefaultPrivileges"


def collisions(resources: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The pairs that write to one catalog object and of which neither waits for the other.

    Two sessions that do so fail with `tuple concurrently updated`, but only when they meet; the order is certain.
    """
    schemas = frozenset(resource["inputs"]["name"] for resource in resources.values() if resource["type"] == SCHEMA)
    touched = {name: frozenset(_touched(each, schemas)) for name, each in resources.items()}
    waits = {name: _waits(resources, name) for name in resources}
    return [
        (a, b)
        for a, b in combinations(resources, 2)
        if touched[a] & touched[b] and a not in waits[b] and b not in waits[a]
    ]


def _touched(resource: Mapping[str, Any], schemas: frozenset[str]) -> Iterator[tuple[str, str]]:
    inputs, kind = resource.get("inputs") or {}, resource["type"]
    if kind == ROLE:
        # Its deletion takes it off every list that it is on.
        yield "database", "railway"
        yield from (("schema", name) for name in schemas)
    if kind == SCHEMA:
        yield "schema", inputs["name"]
    if kind in (GRANT, FUTURE) and "schema" in inputs:
        yield "schema", inputs["schema"]
    if kind == FUTURE:
        yield "creator", inputs["owner"]


def _waits(resources: Mapping[str, Any], name: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        direct = {urn.rpartition("::")[2] for urn in resources[ahead.pop()].get("dependencies") or ()}
        ahead += direct - found
        found |= direct
    return frozenset(found)
