"""What the rows of the queries `sql/split_*.sql` are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """The database that a service is in."""

    major: int
    encoding: str
    collate: str
    ctype: str
    provider: str | None
    """`i` for ICU, `b` for the server's own; none before PostgreSQL 15"""
    locale: str | None
    """of these two"""
    bytes: int
    """of the tables with their indexes"""
    rows: int
    """about as many as there are"""
    large_objects: list[int]
    prepared: int
    """transactions of the role's that are prepared and neither committed nor taken back"""


@dataclass(frozen=True, slots=True)
class Server:
    """The server that a service goes to."""

    major: int
    may_create: bool
    """the admin may make databases"""
    encoding: str | None
    """of the database; none where it is not there"""
    owns: bool
    """the database is the admin's"""
    role_there: bool


@dataclass(frozen=True, slots=True)
class Name:
    """Of an extension."""

    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """What of a service is in a database already."""

    owner: str | None
    """of its schema; none where that is not there"""
    inside: int
    """the schema's objects"""
    owned: int
    """the role's objects outside of it"""
    schemas: list[str]
    """all there are"""
    numbers_of: list[str]
    """whose large objects have the numbers of the service's"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many."""

    count: int


@dataclass(frozen=True, slots=True)
class Door:
    """How a role stands to a database."""

    login: bool
    """it may log in to the server"""
    enters: bool
    """it has CONNECT, by whatever right"""

    @property
    def open(self) -> bool:
        """Whether it comes in with the right password."""
        return self.login and self.enters
