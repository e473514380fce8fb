"""Rows of what is asked beside the catalogs, by those who need it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """What the server keeps of a role's password; for a superuser alone."""

    role: str
    stored: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """A setting of the server as the admin's session started with it."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class VersionTable:
    """A table in which Alembic keeps its revision."""

    schema: str
    identity: str
    """as SQL names it"""
    owner: str
    writers: list[str]
    """roles of services"""
    trusted: bool
    """whether the connected role reads it with nobody else's code run"""
    revisions: tuple[str, ...] | None = None
    """None where they were not read"""
    unread: str = ""
    """why they were not"""


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """A function that runs as whoever makes, changes or drops anything."""

    name: str
    """as SQL names it"""
    event: str
    code: str
    schema: str
    """of the function"""
    definer: bool
    owner: str
    """of the function"""
    changers: list[str]
    """roles that may change the function, apart from the admin and superusers"""

    @property
    def disable(self) -> str:
        """What ends it and can be taken back."""
        return f"ALTER EVENT TRIGGER {self.name} DISABLE"
