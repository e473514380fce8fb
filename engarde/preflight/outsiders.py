"""Login roles that are not the stack's, and what each has to do with a database that PUBLIC is shut out of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import CONNECT, CREATE, TEMPORARY, USAGE
from engarde.server.session import Session


@dataclass(frozen=True, slots=True)
class Outsider:
    """One role and one database."""

    name: str
    database: str
    here: bool
    """it is the database that was asked"""
    everybody: bool
    """PUBLIC may connect"""
    by: list[str]
    """the roles, itself or such as it is in, by whose own right it may connect"""
    sessions: int
    owned: int
    """objects there"""
    granted: int
    """objects there on which it was granted something"""
    through: list[str]
    """the roles that it is in and that have something there, PostgreSQL's own included"""
    on_database: list[str]
    """its own rights"""
    uses: list[str]
    """the existing schemas on which it has USAGE of its own"""
    creates: list[str]

    @property
    def involved(self) -> bool:
        """Whether it has anything there, or is there."""
        return bool(self.sessions or self.owned or self.granted or self.through)

    @property
    def what(self) -> str:
        """What that is."""
        counted = ((self.sessions, "session"), (self.owned, "object"), (self.granted, "grant"))
        found = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counted if count]
        return ", ".join([*found, *(f"a member of {each}" for each in self.through)])

    @property
    def kept(self) -> dict[str, object] | None:
        """All that it has today, as an entry of `engarde:outsideRoles`: what is not stated is taken from it."""
        entry: dict[str, object] = {}
        if CREATE in self.on_database:
            entry["database"] = [CONNECT, TEMPORARY, CREATE]
        schemas = {schema: [USAGE] for schema in self.uses}
        for schema in self.creates:
            schemas[schema] = [USAGE, CREATE]
        if schemas:
            entry["schemas"] = schemas
        return entry or None


def outsiders(stack: DatabaseStack, asked: Session, others: Sequence[str] = ()) -> list[Outsider]:
    """Each such role with this database, and with others of the server."""
    return asked.rows(
        "outsiders",
        Outsider,
        databases=list(others),
        schemas=[schema.name for schema in stack.existing_schemas],
        ours=[stack.server.user, *stack.roles],
    )
