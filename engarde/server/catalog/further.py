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
    disarming: list[str]
    """the statements that take away what runs when it is written"""
    revisions: tuple[str, ...] | None = None
    """None where they were not read"""
    unread: str = ""
    """why they were not"""


@dataclass(frozen=True, slots=True)
class CodeUse:
    """Something that runs a function, reads a view or keeps to a domain, and who may change that."""

    kind: str
    """trigger, rule, default, check, index, view, column, domain, ..."""
    name: str | None
    """as SQL names it; none of what is a relation itself"""
    relation: str | None
    schema: str | None
    owner: str
    """with whose rights it runs at least: of a foreign key, the owner of what it refers to"""
    code_kind: str
    """function, aggregate, domain or view"""
    code: str
    """as SQL names it"""
    code_owner: str
    executors: list[str]
    """who may execute it, apart from its owner"""
    ranged: bool
    """it is how the server measures a range type: nobody needs EXECUTE for that"""
    evaluated: str | None
    """the stored tree of what planning looks at, with the first of a thing's rows"""
    called: str | None
    """how a tree names a call of it; none where planning leaves it alone"""
    operated: list[str]
    """the same, of operators that are made of it"""
    remedy: str | None
    views: list[str]
    """that show a column"""
    indexes: list[str]
    """on a column"""


@dataclass(frozen=True, slots=True)
class StatementRunner:
    """A view in which a function runs what is in a text as whoever reads the view."""

    view: str
    code: str
    owner: str


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


@dataclass(frozen=True, slots=True)
class Policy:
    """A table with row security, with one of its policies for reading."""

    schema: str
    name: str
    identity: str
    owner: str
    forced: bool
    policy: str | None
    """none where no policy is for reading"""
    permissive: bool
    all_rows: bool
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Shadow:
    """Something that has a name of the system's, where others' sessions may meet it first."""

    kind: str
    schema: str
    identity: str
    owner: str
    remedy: str
