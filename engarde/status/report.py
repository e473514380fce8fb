"""What a look says of each service and of the whole server."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engarde.checks.connection_budget import budget
from engarde.declaration.model import DatabaseStack
from engarde.status import rows
from engarde.status.connections import Connections, connections
from engarde.status.look import Look
from engarde.status.run_time import Ran, cache_hit, ran
from engarde.status.storage import Stored, stored
from engarde.status.subjects import Subject, of_roles, of_schemas, subjects
from engarde.status.unseen import Unseen
from engarde.status.visible import unseen


@dataclass(frozen=True, slots=True)
class Service:
    """One service, whoever an existing schema belongs to, or analytics."""

    subject: Subject
    stored: Stored | None
    """None for who has no schema"""
    connections: Connections
    ran: Ran | None
    """None where pg_stat_statements is not seen"""
    revision: tuple[str, ...] | None
    """of Alembic, none without a version table; None where one is there and cannot be read"""


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole server, and the stack's database."""

    seen: rows.Server
    settings: Mapping[str, rows.Setting]
    connections: int
    """of clients, in every database, without those of this command"""
    room: int
    """how many connections clients may have that are no superusers"""
    budget: int
    """what the stack's limits together may reach: as declared, else all the room"""
    promised: int
    """the stack's limits together"""
    used_by_stack: int
    """connections of the stack's roles"""
    others: Mapping[str, int]
    """connections of roles that are nobody's in the stack"""
    blocked: int
    database_size: int | None

    @property
    def cache_hit(self) -> float | None:
        """How much of what was asked for was in the cache, 1 = all; None before the first block."""
        return cache_hit(self.seen.blocks_hit, self.seen.blocks_read)


@dataclass(frozen=True, slots=True)
class Report:
    """One look, told."""

    stack: str
    database: str
    at: float
    """seconds since 1970"""
    whole: Whole
    services: tuple[Service, ...]
    unseen: tuple[Unseen, ...]
    queries: bool
    """whether texts of statements were asked for"""


def report(stack: DatabaseStack, chosen: Sequence[Subject], found: Look, queries: bool) -> Report:
    """What was found, told of each that was chosen."""
    every = subjects(stack)
    whose = of_roles(every), of_schemas(every)
    activity = found.activity
    services = tuple(
        Service(
            each,
            stored(each, found) if each.schemas else None,
            connections(each.roles, activity.sessions, activity.roles, activity.locks, whose),
            ran(each, found.statements.counted) if found.statements.counted is not None else None,
            _revision(each, found),
        )
        for each in chosen
    )
    return Report(
        stack.name,
        stack.server.database,
        time.time(),
        _whole(stack, found, whose[0]),
        services,
        tuple(unseen(found, [each.stored for each in services if each.stored], of_schemas(chosen))),
        queries,
    )


def _revision(subject: Subject, found: Look) -> tuple[str, ...] | None:
    own = [each.revisions for each in found.owned.versions if each.schema in subject.schemas]
    if any(each is None for each in own):
        return None
    return tuple(revision for each in own for revision in each or ())


def _whole(stack: DatabaseStack, found: Look, whose: Mapping[str, str]) -> Whole:
    settings, sessions = found.activity.settings, found.activity.sessions
    server = stack.server_stack
    limits = budget(server, {name: each.value or "0" for name, each in settings.items()})
    made = limits.limits.keys()
    others: dict[str, int] = {}
    for each in sessions:
        if each.role not in whose and each.role not in made:
            others[each.role] = others.get(each.role, 0) + 1
    return Whole(
        seen=found.server,
        settings=settings,
        connections=len(sessions),
        room=limits.available,
        budget=server.server.connection_budget or limits.available,
        promised=limits.promised,
        used_by_stack=sum(each.role in made for each in sessions),
        others=others,
        blocked=sum(each.blockers is not None for each in sessions),
        database_size=found.storage.sizes.database,
    )
