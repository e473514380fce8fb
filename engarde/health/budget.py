"""Whether the server has a connection for every one that the stack promises."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.checks.connection_budget import Budget, budget, lowered, needed
from engarde.declaration.model import Service
from engarde.declaration.names import ANALYTICS
from engarde.declaration.stack_file_edits import lines
from engarde.health.seen import Seen
from engarde.output.findings import Finding, Remedy


def check(seen: Seen) -> Iterator[Finding]:
    """A finding where the limits, a rotation and the others' sessions do not all fit."""
    of_server = budget(seen.stack.server_stack, {name: each.value for name, each in seen.settings.items()})
    if not seen.stack.server_wide or of_server.suffices(seen.others_sessions, rotating=True):
        return
    limits, room = of_server.limits, of_server.available - seen.others_sessions
    expected = (
        f"at most {of_server.available}: max_connections {of_server.highest} less {of_server.reserved} reserved ones"
    )
    actual = (
        f"{of_server.promised} by the limits of all roles, {needed(limits)} while {of_server.largest.role} is rotated"
        f" and two of it are in use; and {seen.others_sessions} sessions of others now"
    )
    fitting = lowered(limits, room)
    remedy = (
        _edit(of_server, fitting)
        if fitting
        else _raise(seen, needed(limits) + of_server.reserved + seen.others_sessions)
    )
    yield Finding("connection budget", seen.stack.server.database, expected, actual, remedy, frozenset(limits))


def _edit(of_server: Budget, fitting: dict[str, int]) -> Remedy:
    changed = [login for login in of_server.logins if fitting[login.role] < login.connection_limit]
    services = {each.name: {"connectionLimit": fitting[each.role]} for each in changed if isinstance(each, Service)}
    sections = [lines("services", services)] if services else []
    for each in changed:
        if not isinstance(each, Service):
            sections.append(lines(ANALYTICS, {"connectionLimit": fitting[each.role]}))
    return Remedy("edit", "\n".join(sections))


def _raise(seen: Seen, connections: int) -> Remedy:
    heal = f"ALTER SYSTEM SET max_connections = {connections}; -- and a restart of the server"
    return Remedy("sql", heal, by_superuser=not seen.admin_is_superuser)
