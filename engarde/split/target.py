"""The database that a service goes to: whether it is there, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from engarde.backup.inventory import Edge
from engarde.declaration.model import DatabaseStack
from engarde.errors import NoEntrance
from engarde.server.credentials import login_of_admin
from engarde.server.functions import Extension, refuse_event_triggers
from engarde.server.session import Session, session
from engarde.split.contents import Contents
from engarde.split.rows import Held, Name, Server

MAINTENANCE = "postgres"
"""The database that every server has, and that another one is made from."""


@dataclass(frozen=True, slots=True)
class Target:
    """What there is."""

    server: Server
    offered: frozenset[str]
    """extensions that the admin can make"""
    extensions: tuple[Extension, ...] = ()
    """that are there"""
    held: Held | None = None
    """none where the database is not there"""
    missing: tuple[Edge, ...] = ()
    """of what the service needs outside of its schema"""

    @property
    def there(self) -> bool:
        """Whether the database exists."""
        return self.held is not None


def look(new: DatabaseStack, role: str, found: Contents) -> Target:
    """What is at the other end of a move.

    :raises Unreachable: the server could not be asked.
    :raises Refused: event triggers there would run what others may change.
    """
    admin = login_of_admin(new)
    try:
        with session(admin) as asked:
            return _within(asked, new, role, found)
    except NoEntrance as refusal:
        if f'database "{new.server.database}" does not exist' not in refusal.reason:
            raise
    with session(replace(admin, database=MAINTENANCE)) as asked:
        return Target(_server(asked, new, role), _offered(asked), missing=found.needs)


def _within(asked: Session, new: DatabaseStack, role: str, found: Contents) -> Target:
    refuse_event_triggers(asked, new.server.user)
    numbers: Sequence[int] = found.source.large_objects
    [held] = asked.rows("split_held", Held, role=role, schema=found.schema, numbers=numbers)
    needs = json.dumps([asdict(each) for each in found.needs])
    return Target(
        _server(asked, new, role),
        _offered(asked),
        tuple(asked.rows("backup_extensions", Extension)),
        held,
        tuple(asked.rows("backup_missing", Edge, needs=needs)),
    )


def _server(asked: Session, new: DatabaseStack, role: str) -> Server:
    [server] = asked.rows("split_server", Server, database=new.server.database, role=role)
    return server


def _offered(asked: Session) -> frozenset[str]:
    return frozenset(each.name for each in asked.rows("split_offered", Name))
