"""What a check found: one value to print, to compare and to fix."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from engarde.util.quoting import printable

Kind = Literal["sql", "command", "edit", "code", "decision"]
"""Of a remedy: statements for the finding's database, a command for a shell, a line of the stack file, a change of a
service, or a choice for a person, with a comment above each option that says when it is right."""


class Verb(IntEnum):
    """What the statements of a remedy do, in the order in which the remedies of one run are applied."""

    DISARM = 1
    """stop what would fire on, or refuse, the other statements"""
    SET = 2
    """what sessions start with, and limits"""
    SHOW = 3
    """rows that policies hide"""
    HOLD = 4
    """existence, names and owners of schemas and databases"""
    OPEN = 5
    """grants on them, and memberships: the next steps need these"""
    PLACE = 6
    """owners of the objects in them, and their schemas"""
    GRANT = 7
    PROMISE = 8
    """default privileges: grants on what is made later"""
    REVOKE = 9
    CLOSE = 10
    """a REVOKE on a schema or a database, after which its grantor can no longer revoke what is in it"""
    DEMOTE = 11
    """revoke memberships and attributes that all of the above may need"""
    END = 12
    """remove something that somebody made and may need: only a person decides that"""


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """The new place of one object; later findings of the same run are about it as it is then."""

    kind: str
    """as ALTER has it"""
    identity: str
    """as SQL names it until then"""
    owner: str
    schema: str = ""
    """its new schema; empty if it stays in its own"""


@dataclass(frozen=True, slots=True, order=True)
class Remedy:
    """The one thing that fixes a finding."""

    kind: Kind
    text: str
    by_superuser: bool = False
    """of `sql`: the stack's admin may not run it"""
    safe: bool = False
    """of `sql`: the tool may run it, since it loses no data and takes nothing from anybody"""
    verb: Verb = Verb.SET
    """of `sql`"""
    placed: Placed | None = None
    """of `sql`: the new place of the object that it is about"""
    thing: str = ""
    """of `sql`: the object that it moves, or on which it grants again after the move, as SQL names it then; all of this
    runs in one transaction"""
    first: "Remedy | None" = field(default=None, compare=False)
    """of `edit`: statements that have to run before"""

    def __post_init__(self) -> None:
        """Escapes control and invisible characters, so that a copied statement names what was found."""
        if self.kind in ("sql", "decision"):
            object.__setattr__(self, "text", printable(self.text))


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One way in which the server is not as declared."""

    check: str
    """what kind of thing was compared: `grant`, `owner`, `login`, ..."""
    subject: str
    """what it is about"""
    expected: str
    actual: str
    remedy: Remedy
    concerns: frozenset[str] = field(default=frozenset(), compare=False)
    """the roles and schemas that it is about; empty for the whole server"""
    database: str = ""
    """as the tool calls it, if the stack has more than one"""
    things: frozenset[str] = field(default=frozenset(), compare=False)
    """all objects that it is about, as SQL names them, if the subject names only some; never printed"""


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """What deserves a look, but is no finding."""

    text: str
    concerns: frozenset[str] = field(default=frozenset(), compare=False)
    """the roles and schemas that it is about; empty for the whole server"""
