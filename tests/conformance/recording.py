"""A recorded scenario, read from its file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a scenario's program."""

    name: str
    type: str
    props: Mapping[str, Any]
    after: frozenset[str]

    @property
    def needs(self) -> frozenset[str]:
        """The resources that come first: those listed, and those whose outputs it takes."""
        return self.after | {ref.partition(".")[0] for ref in _references(self.props)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a phase did and what was there after it."""

    catalog: list[Any]
    exit: int = 0
    steps: tuple[Any, ...] = ()
    errors: tuple[str, ...] = ()
    state: tuple[Any, ...] = ()
    transactions: tuple[tuple[str, ...], ...] = ()
    """The statements, grouped; a recording does not say where a transaction ends, so there it is one group."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Either statements run by hand or one command of the engine."""

    sql: tuple[str, ...]
    do: str
    """Empty where the phase is statements by hand."""

    program: tuple[Resource, ...] | None
    """None keeps the last program."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Scenario:
    """What was run, on which major of PostgreSQL, as a superuser or as a role with CREATEROLE."""

    major: int
    superuser: bool
    phases: tuple[Phase, ...]


def read(path: Path) -> Scenario:
    """The scenario of a recording's file."""
    raw = json.loads(path.read_text())
    return Scenario(raw["postgresql"], raw["admin"] == "superuser", tuple(_phase(each) for each in raw["phases"]))


def _phase(raw: Mapping[str, Any]) -> Phase:
    program = tuple(_resource(each) for each in raw["resources"]) if "resources" in raw else None
    return Phase(tuple(raw.get("sql", ())), raw.get("do", ""), program, _outcome(raw))


def _outcome(raw: Mapping[str, Any]) -> Outcome:
    if "do" not in raw:
        return Outcome(raw["catalog"])
    return Outcome(
        raw["catalog"],
        raw["exit"],
        tuple(raw["steps"]),
        tuple(raw["errors"]),
        tuple(raw["state"]),
        (tuple(raw["statements"]),),
    )


def _resource(raw: Mapping[str, Any]) -> Resource:
    return Resource(raw["name"], raw["type"], raw["props"], frozenset(raw.get("after", ())))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and set(value) == {"ref"}:
        yield value["ref"]
    elif isinstance(value, dict):
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
