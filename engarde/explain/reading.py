"""Reads what is known of one object and one role, in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from engarde.checks.closure import members
from engarde.explain.facts import OF_COLUMNS, Answer, Entry, Facts, Key, Policy, Reading, Thing, rights_on
from engarde.server.catalog.rows import Membership, Role
from engarde.server.session import Session


@dataclass(frozen=True, slots=True)
class _Number:
    oid: int


def known_roles(asked: Session) -> dict[str, Role]:
    """Every role of the server."""
    return {role.name: role for role in asked.rows("all_roles", Role)}


def facts(asked: Session, roles: dict[str, Role], role: str, key: Key, database: str) -> Facts:
    """Everything that an explanation of this role and this object is derived from."""
    group, oid = key
    numbers = {kind: [oid] if group == kind else [] for kind in ("relation", "function", "database")}
    readings = asked.rows("explain_reading", Reading, relation=oid) if group == "relation" else []
    numbers["relation"] += [oid for reading in readings for oid in (reading.reader, reading.base)]
    definers = [function.oid for function in asked.rows("explain_definers", _Number)]
    numbers["function"] += definers
    asked_for = {f"{group}s": sorted(set(those)) for group, those in numbers.items()}
    things = {thing.key: thing for thing in asked.rows("explain_things", Thing, **asked_for)}
    entries: dict[Key, tuple[Entry, ...]] = {}
    for entry in asked.rows("explain_acl", Entry, **asked_for):
        entries[entry.group, entry.oid] = (*entries.get((entry.group, entry.oid), ()), entry)
    target = things[key]
    current = next(thing for thing in things.values() if thing.group == "database" and thing.name == database)
    answers = _answers(asked, role, target)
    return Facts(
        major=asked.major,
        database=current,
        members=members(roles, asked.rows("memberships", Membership), current.owner, asked.major),
        target=target,
        things=things,
        schemas={thing.name: thing for thing in things.values() if thing.group == "schema"},
        entries=entries,
        readings=tuple(readings),
        definers=tuple(things["function", function] for function in definers),
        policies=tuple(asked.rows("explain_policies", Policy, relation=oid)) if group == "relation" else (),
        columns=tuple(dict.fromkeys(answer.column for answer in answers if answer.column is not None)),
        answers=frozenset(answers),
    )


def _answers(asked: Session, role: str, target: Thing) -> list[Answer]:
    return asked.rows(
        "explain_answers",
        Answer,
        role=role,
        group="sequence" if target.kind == "sequence" else target.group,
        oid=target.oid,
        owner=target.owner,
        schema=target.schema,
        rights=list(rights_on(target, asked.major)),
        column_rights=list(OF_COLUMNS),
    )
