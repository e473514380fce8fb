"""Roles that exist before the program would make them: left by a killed run of ours, or somebody else's."""

from collections.abc import Collection

from devtools.local import database, state
from devtools.local.admin import Admin
from engarde.declaration.model import Stack
from engarde.errors import Refused


def to_take_over(admin: Admin, stack: Stack) -> list[str]:
    """The roles that a killed run was making, and that exist now.

    :raises Refused: when another role exists that the stack would make.
    """
    undecided = sorted({login.role for login in stack.logins if not login.adopt} - state.roles())
    existing = database.existing_roles(admin, undecided, stack.server.database)
    return decide(existing, state.pending_roles(), str(admin))


def decide(existing: Collection[str], pending: Collection[str], where: str) -> list[str]:
    """Splits what exists without being in the state: begun by us is ours, anything else is not to be touched."""
    foreign = sorted(set(existing) - set(pending))
    if foreign:
        raise Refused(
            f"these roles exist on {where} outside the state of stack local: {', '.join(foreign)}; nothing was"
            " changed. Drop or rename them, or let the stack take them over with `adopt: true`"
        )
    return sorted(existing)
