"""Looks a stack over: what is wrong with it, or would go wrong with its next run, and what heals that."""

from __future__ import annotations

from dataclasses import replace

from engarde.checks import (
    admin_rights,
    connection_budget,
    extensions,
    lock_table,
    misplaced_objects,
    orphaned_grants,
    pooler,
    role_settings,
    runs,
    server,
    undeclared_logins,
    version_tables,
)
from engarde.checks.observed import look
from engarde.checks.under_way import under_way
from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.errors import NoEntrance, NoRoomForLocks
from engarde.output.findings import Finding
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.resource_names import login_name
from engarde.pulumi_cli.stale_locks import Lock
from engarde.pulumi_cli.state import State, backend, state
from engarde.server.credentials import login_of_admin
from engarde.server.session import session

CHECKS = (
    pooler.check,
    server.check,
    admin_rights.check,
    connection_budget.check,
    undeclared_logins.check,
    role_settings.check,
    misplaced_objects.check,
    version_tables.check,
    runs.check,
    orphaned_grants.check,
    extensions.check,
)
"""In the order in which one heals: what the engine runs comes last, for it refuses to where an admin lacks rights."""


def examine(stack: Stack) -> list[Finding]:
    """Every finding of every health check; changes nothing.

    :raises Unreachable: the engine or the server could not be asked.
    """
    opened = [each.finding() for each in under_way(stack.name, {login_name(each): each.role for each in stack.logins})]
    return [*opened, *_of_servers(stack)]


def _of_servers(stack: Stack) -> list[Finding]:
    kept = backend(stack.name)
    # Nothing else can be learnt of the stack until these are gone.
    if torn := [*runs.torn(stale_locks.torn(kept, stack.name))]:
        return torn
    recorded = state(stack.name)
    abandoned = tuple(stale_locks.locks(kept, stack.name))
    of_stack = databases(stack)
    if len(of_stack) == 1:
        return _examined(of_stack[0], recorded, abandoned)
    found: list[tuple[DatabaseStack, Finding]] = []
    for database in of_stack:
        so_far = [each for _, each in found]
        try:
            examined = _examined(database, recorded, abandoned)
        except NoRoomForLocks:
            # Whose locks they are is found with the server.
            if not any(each.check == lock_table.CHECK for each in so_far):
                raise
            continue
        found += [(database, each) for each in examined if not _told(each, so_far)]
    return [replace(each, database=display_name(database)) for database, each in found]


def _told(finding: Finding, so_far: list[Finding]) -> bool:
    """Whether it is of the whole stack or server, and was found with another of its databases."""
    return finding in so_far and (finding.remedy.kind != "sql" or finding.check == "server")


def _examined(database: DatabaseStack, recorded: State, abandoned: tuple[Lock, ...]) -> list[Finding]:
    crowded: list[Finding] = []
    try:
        with session(login_of_admin(database)) as asked:
            if unsupported := server.unsupported(asked.major):
                return [unsupported]
            crowded = lock_table.check(database, asked)
            seen = look(database, recorded, abandoned, asked)
    except NoRoomForLocks:
        # The rest can be asked once these sessions are ended.
        if crowded:
            return crowded
        raise
    except NoEntrance as refusal:
        if without_tls := server.without_tls(database, refusal.reason):
            return [without_tls]
        raise
    return [*crowded, *(finding for check in CHECKS for finding in check(seen))]
