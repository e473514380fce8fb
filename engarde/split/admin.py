"""The admin's login, for which the engine is asked once: a move needs it again and again."""

from __future__ import annotations

from functools import cache

from engarde.access import Access
from engarde.model import Stack
from engarde.stack import admin_password


def login_of_admin(part: Stack) -> Access:
    """The admin's login to the part's database.

    :raises Unreachable: no engine or no passphrase.
    """
    server = part.server
    return Access(server, server.database, server.user, _password(part.name, part.label if part.elsewhere else None))


@cache
def _password(stack: str, database: str | None) -> str:
    return admin_password(stack, database)
