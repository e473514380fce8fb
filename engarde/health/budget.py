"""Whether the server has a connection for every one that the stack promises."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.edits import lines
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen
from engarde.model import Service
from engarde.names import ANALYTICS

RESERVED = ("superuser_reserved_connections", "reserved_connections")


def check(seen: Seen) -> Iterator[Finding]:
    """A finding where the limits, a rotation and the others' sessions do not all fit."""
    logins = seen.stack.server_stack.logins
    if not logins or not seen.stack.server_wide:
        return
    most = int(seen.settings["max_connections"].value)
    # PostgreSQL 16 brought the second.
    reserved = sum(int(seen.settings[name].value) for name in RESERVED if name in seen.settings)
    limits = {login.role: login.connection_limit for login in logins}
    room = most - reserved - seen.others_sessions
    largest = max(limits, key=lambda role: limits[role])
    if needed(limits) <= room:
        return
    expected = f"at most {most - reserved}: max_connections {most} less {reserved} reserved ones"
    actual = (
        f"{sum(limits.values())} by the limits of all roles, {needed(limits)} while {largest} is rotated and two of it"
        f" are in use; and {seen.others_sessions} sessions of others now"
    )
    fitting = lowered(limits, room)
    remedy = _edit(seen, limits, fitting) if fitting else _raise(seen, needed(limits) + most - room)
    yield Finding("connection budget", seen.stack.server.database, expected, actual, remedy, frozenset(limits))


def needed(limits: dict[str, int]) -> int:
    """What the roles may take, when the largest is there twice for a while."""
    return sum(limits.values()) + max(limits.values())


def lowered(limits: dict[str, int], room: int) -> dict[str, int] | None:
    """Limits that fit, taken from the largest first; None where one connection each is too many."""
    fitting = dict(limits)
    while needed(fitting) > room:
        largest = max(fitting, key=lambda role: fitting[role])
        if fitting[largest] == 1:
            return None
        fitting[largest] -= 1
    return fitting


def _edit(seen: Seen, limits: dict[str, int], fitting: dict[str, int]) -> Remedy:
    changed = [login for login in seen.stack.server_stack.logins if fitting[login.role] < limits[login.role]]
    services = {each.name: {"connectionLimit": fitting[each.role]} for each in changed if isinstance(each, Service)}
    sections = [lines("services", services)] if services else []
    for each in changed:
        if not isinstance(each, Service):
            sections.append(lines(ANALYTICS, {"connectionLimit": fitting[each.role]}))
    return Remedy("edit", "\n".join(sections))


def _raise(seen: Seen, connections: int) -> Remedy:
    heal = f"ALTER SYSTEM SET max_connections = {connections}; -- and a restart of the server"
    return Remedy("sql", heal, by_superuser=not seen.admin_is_superuser)
