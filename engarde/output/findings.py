"""What a check found: one value that is printed, compared and healed alike."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from engarde.util.quoting import printable

Kind = Literal["sql", "command", "edit", "code", "decision"]
"""Of a remedy: statements for the finding's database, a command for a shell, a line of the stack file, a change of a
service, or statements of which a person chooses, each choice below a comment that says when it is right."""


class Verb(IntEnum):
    """What the statements of a remedy do; of the remedies of one run, in the order in which they are made."""

    DISARM = 1
    """end what would run, or be refused, whenever one of the others is made"""
    SET = 2
    """what sessions start with, and limits"""
    SHOW = 3
    """rows that policies hide"""
    HOLD = 4
    """schemas and databases: that they are there, under their names, and whose they are"""
    OPEN = 5
    """grants on them, and of roles: without these one may not do what follows"""
    PLACE = 6
    """whose the things in them are, and in which schema"""
    GRANT = 7
    PROMISE = 8
    """grants on what is made later"""
    REVOKE = 9
    CLOSE = 10
    """a REVOKE on a schema or a database, after which its grantor may not take away what is in it"""
    DEMOTE = 11
    """memberships and attributes, by which one may do all the above"""
    END = 12
    """take away something that somebody has made, and may need: only a person decides that"""


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """What becomes of one thing: the findings of the same run that follow are about it as it is then."""

    kind: str
    """as ALTER has it"""
    identity: str
    """as SQL names it until then"""
    owner: str
    schema: str = ""
    """the one that it goes to; empty where it stays in its own"""


@dataclass(frozen=True, slots=True, order=True)
class Remedy:
    """The one thing that heals a finding."""

    kind: Kind
    text: str
    by_superuser: bool = False
    """of `sql`: the stack's admin may not run it"""
    safe: bool = False
    """of `sql`: the tool may run it: it loses no data and takes nothing from anybody"""
    verb: Verb = Verb.SET
    """of `sql`"""
    placed: Placed | None = None
    """of `sql`: what becomes of the one thing that it is about"""
    thing: str = ""
    """of `sql`: what it places, or what it gives back on a thing that is placed, as SQL names that then: all of that is
    made in one transaction"""
    first: "Remedy | None" = field(default=None, compare=False)
    """of `edit`: statements that have to run before"""

    def __post_init__(self) -> None:
        """Spells out what a terminal would obey or hide: who copies the statement names what was found."""
        if self.kind in ("sql", "decision"):
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
    things: frozenset[str] = field(default=frozenset(), compare=False)
    """the objects that it is about, as SQL names them: more than a subject has room for; never printed"""


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """What is worth a look, and no finding."""

    text: str
    concerns: frozenset[str] = field(default=frozenset(), compare=False)
    """the roles and schemas that it is about; none for the whole server"""
