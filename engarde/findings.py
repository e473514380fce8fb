"""What a check found: one value that is printed, compared and healed alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engarde.quoting import printable

CHECKS = (
    "attributes",
    "behaviour",
    "code of others",
    "connection limit",
    "default privileges",
    "event trigger",
    "exported URL",
    "grant",
    "grant option",
    "inheritance",
    "login",
    "membership",
    "owner",
    "owner's right",
    "password",
    "reach",
    "read",
    "role",
    "row security",
    "schema",
    "security definer",
    "session",
    "setting",
    "shadow",
    "undeclared default privileges",
    "undeclared grant",
    "view",
)
"""Every check of `verify`: stack files name them, so that none is ever called otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class Remedy:
    """The one thing that heals a finding."""

    kind: Literal["sql", "command", "edit", "code"]
    """statements for the finding's database, a command for a shell, a line of the stack file, a change of a service"""
    text: str
    by_superuser: bool = False
    """of `sql`: the stack's admin may not run it"""
    safe: bool = False
    """of `sql`: doctor may run it: it loses nothing and takes nothing from anybody who is declared to have it"""

    def __post_init__(self) -> None:
        """Spells out what a terminal would obey or hide: who copies the statement names what was found."""
        if self.kind == "sql":
            object.__setattr__(self, "text", printable(self.text))


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One way in which the server is not as declared."""

    check: str
    """what kind of thing was compared: `grant`, `owner`, `login`, ..."""
    subject: str
    """whose, or on what"""
    expected: str
    actual: str
    remedy: Remedy
    concerns: frozenset[str] = field(default=frozenset(), compare=False)
    """the roles and schemas that it is about; none for the whole server"""
    database: str = ""
    """as the tool calls it, where the stack has more than one"""
