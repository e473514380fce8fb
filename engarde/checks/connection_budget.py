"""Whether a server has a connection for every one that the stack promises on it."""

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
    """What the login roles of a server may take, and what it has for them; all of it in connections."""

    logins: tuple[Service | Analytics, ...]
    """those of all databases of the server"""
    highest: int
    reserved: int

    @property
    def limits(self) -> dict[str, int]:
        """Role -> what it may take."""
        return {login.role: login.connection_limit for login in self.logins}

    @property
    def available(self) -> int:
        """What is there for all roles, others included."""
        return self.highest - self.reserved

    @property
    def promised(self) -> int:
        """What the roles may take together."""
        return sum(self.limits.values())

    @property
    def largest(self) -> Service | Analytics:
        """The login with the highest limit."""
        return max(self.logins, key=lambda login: login.connection_limit)

    def suffices(self, others: int = 0, *, rotating: bool = False) -> bool:
        """Whether every role can have what it may take.

        :param others: what roles that are not the stack's have.
        :param rotating: the largest is there twice, as it is for a while with a new password.
        """
        return not self.logins or (needed(self.limits) if rotating else self.promised) + others <= self.available


def budget(server: ServerStack, settings: Mapping[str, str]) -> Budget:
    """That of a server with these settings, `max_connections` and as many of `RESERVED` as it has."""
    reserved = sum(int(settings[name]) for name in RESERVED if name in settings)
    return Budget(server.logins, int(settings["max_connections"]), reserved)


def needed(limits: Mapping[str, int]) -> int:
    """What the roles may take, when the largest is there twice for a while."""
    return sum(limits.values()) + max(limits.values())


def lowered(limits: Mapping[str, int], room: int) -> dict[str, int] | None:
    """Limits that fit, taken from the largest first; None where one connection each is too many."""
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
        "whether the limits, a rotation and the sessions of others all fit into the server's connections",
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
        f"at most {of_server.available}: max_connections {of_server.highest} less {of_server.reserved} reserved ones"
    )
    actual = (
        f"{of_server.promised} by the limits of all roles, {needed(limits)} while {of_server.largest.role} is rotated"
        f" and two of it are in use; and {others} sessions of others now"
    )
    if fitting := lowered(limits, of_server.available - others):
        remedy = _edit(of_server, fitting)
    else:
        enough = needed(limits) + of_server.reserved + others
        heal = f"ALTER SYSTEM SET max_connections = {enough}; -- and a restart of the server"
        remedy = Remedy("sql", heal, by_superuser=not observed.admin.superuser)
    yield Finding("connection budget", stack.server.database, expected, actual, remedy, frozenset(limits))


def _edit(of_server: Budget, fitting: dict[str, int]) -> Remedy:
    changed = [login for login in of_server.logins if fitting[login.role] < login.connection_limit]
    services = {login.name: {"connectionLimit": fitting[login.role]} for login in changed if isinstance(login, Service)}
    sections = [lines("services", services)] if services else []
    readers = [login for login in changed if not isinstance(login, Service)]
    sections += [lines(ANALYTICS, {"connectionLimit": fitting[reader.role]}) for reader in readers]
    return Remedy("edit", "\n".join(sections))
