"""Whether a server has a connection for every one that the stack promises on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engarde.declaration.model import Analytics, ServerStack, Service

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
