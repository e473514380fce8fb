"""Looks a stack over: what is wrong with it, or would go wrong with its next run, and what heals that."""

from __future__ import annotations

from engarde import leftovers
from engarde.access import ADMIN, access
from engarde.database import session
from engarde.errors import NoEntrance
from engarde.findings import Finding
from engarde.health import (
    admin,
    budget,
    extensions,
    migrations,
    overrides,
    placement,
    pooler,
    runs,
    server,
    vanished,
    visitors,
)
from engarde.health.seen import look
from engarde.model import Stack
from engarde.stack import backend, state

CHECKS = (
    pooler.check,
    server.check,
    admin.check,
    budget.check,
    visitors.check,
    overrides.check,
    placement.check,
    migrations.check,
    runs.check,
    vanished.check,
    extensions.check,
)
"""In the order in which one heals: what the engine runs comes last, for it refuses to where an admin lacks rights."""


def examine(stack: Stack) -> list[Finding]:
    """Every finding of every health check; changes nothing.

    :raises Unreachable: the engine or the server could not be asked.
    """
    kept = backend(stack.name)
    # Nothing else can be learnt of the stack until these are gone.
    if torn := [*runs.torn(leftovers.torn(kept, stack.name))]:
        return torn
    recorded = state(stack.name)
    abandoned = tuple(leftovers.locks(kept, stack.name))
    login = access(stack, ADMIN)
    try:
        with session(login) as asked:
            if unsupported := server.unsupported(asked.major):
                return [unsupported]
            seen = look(stack, recorded, abandoned, asked)
    except NoEntrance as refusal:
        if without_tls := server.without_tls(stack, refusal.reason):
            return [without_tls]
        raise
    return [finding for check in CHECKS for finding in check(seen)]
