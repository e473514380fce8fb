"""Whether the server has as many connections as the stack's limits add up to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import Analytics, DatabaseStack, ServerStack, Service
from engarde.declaration.names import ANALYTICS
from engarde.declaration.stack_file import lines
from engarde.output.findings import Finding, Remedy

RESERVED = ("superuser_reserved_connections", "reserved_connections")
"""PostgreSQL 16 brought the second."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of a server's login roles, and the connections that it has for them."""

    logins: tuple[Service | Analytics, ...]
    """of all databases of the server"""
    highest: int
    reserved: int

    @property
    def limits(self) -> dict[str, int]:
        """Role -> its connection limit."""
        return {login.role: login.connection_limit for login in self.logins}

    @property
    def available(self) -> int:
        """The connections for all roles, those outside the stack included."""
        return self.highest - self.reserved

    @property
    def promised(self) -> int:
        """The sum of the roles' limits."""
        return sum(self.limits.values())

    @property
    def largest(self) -> Service | Analytics:
        """The login with the highest limit."""
        return max(self.logins, key=lambda login: login.connection_limit)

    def suffices(self, others: int = 0, *, rotating: bool = False) -> bool:
        """Whether every role can use its whole limit.

        :param others: connections of roles that are not the stack's.
        :param rotating: count the largest role twice, as during its rotation.
        """
        return not self.logins or (needed(self.limits) if rotating else self.promised) + others <= self.available


def budget(server: ServerStack, settings: Mapping[str, str]) -> Budget:
    """The budget of a server with these settings: `max_connections`, and those of `RESERVED` that it has."""
    reserved = sum(int(settings[name]) for name in RESERVED if name in settings)
    return Budget(server.logins, int(settings["max_connections"]), reserved)


def needed(limits: Mapping[str, int]) -> int:
    """The sum of the limits during a rotation, when the largest role is there twice."""
    return sum(limits.values()) + max(limits.values())


def lowered(limits: Mapping[str, int], room: int) -> dict[str, int] | None:
    """Limits that fit, lowered from the largest first; None if even one connection each is too many."""
    fitting = dict(limits)
    while needed(fitting) > room:
        largest = max(fitting, key=lambda role: fitting[role])
        if fitting[largest] == 1:
            return None
        fitting[largest] -= 1
    return fitting


@check(
    Question(
        "connection budget",
        "connection limits that, with a rotation and other roles' sessions, exceed the server's connections",
        "edit",
        "lower limits, or a higher `max_connections`",
    ),
    group="roles",
    needs=("catalogs", "sessions"),
    scope="server",
    stage=Stage.ROLES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    if not stack.server_wide:
        return
    of_server = budget(stack.server_stack, observed.settings("max_connections", *RESERVED))
    (others,) = observed.session.values("others_sessions", roles=list(stack.roles))
    if of_server.suffices(others, rotating=True):
        return
    limits = of_server.limits
    expected = (
        f"at most {of_server.available}: max_connections {of_server.highest} minus {of_server.reserved} reserved ones"
    )
    actual = (
        f"{of_server.promised} is the sum of all limits, {needed(limits)} during a rotation of"
        f" {of_server.largest.role}, when its old and its new sessions count; other roles have {others} sessions now"
    )
    if fitting := lowered(limits, of_server.available - others):
        remedy = _edit(of_server, fitting)
    else:
        enough = needed(limits) + of_server.reserved + others
        heal = f"ALTER SYSTEM SET max_connections = {enough}; -- then restart the server"
        remedy = Remedy("sql", heal, by_superuser=not observed.admin.superuser)
    yield Finding("connection budget", stack.server.database, expected, actual, remedy, frozenset(limits))


def _edit(of_server: Budget, fitting: dict[str, int]) -> Remedy:
    changed = [login for login in of_server.logins if fitting[login.role] < login.connection_limit]
    services = {login.name: {"connectionLimit": fitting[login.role]} for login in changed if isinstance(login, Service)}
    sections = [lines("services", services)] if services else []
    readers = [login for login in changed if not isinstance(login, Service)]
    sections += [lines(ANALYTICS, {"connectionLimit": fitting[reader.role]}) for reader in readers]
    return Remedy("edit", "\n".join(sections))
