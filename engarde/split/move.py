"""A service's way from one database into another: the stack before it and after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from engarde.declaration.databases import restrict_to, service_of
from engarde.declaration.model import DatabaseStack, Extension, Service, Stack
from engarde.server.credentials import Access, login_to


@dataclass(frozen=True, slots=True)
class Move:
    """One service from an old database into a new one."""

    before: Stack
    after: Stack
    service: Service
    """as it is declared before"""
    source: str | None
    """the database that it leaves, as a service states it; none for the shared one"""
    target: str | None

    @property
    def old(self) -> DatabaseStack:
        """The database that it leaves."""
        return restrict_to(self.before, self.source)

    @property
    def new(self) -> DatabaseStack:
        """The database that it goes to."""
        return restrict_to(self.after, self.target)

    @property
    def moved(self) -> Service:
        """The service as it is declared after."""
        return service_of(self.after, self.service.name)

    @property
    def other_server(self) -> bool:
        """Whether it also changes servers, and so roles of one name."""
        old, new = self.old, self.new
        return (old.elsewhere, new.elsewhere) != (False, False) and self.source != self.target

    def into_old(self, password: str) -> Access:
        """The service's login to the database that it leaves."""
        return login_to(self.old, self.service, password)

    def into_new(self, password: str) -> Access:
        """The service's login to the database that it goes to."""
        return login_to(self.new, self.moved, password)


def move(stack: Stack, name: str, source: str | None, target: str | None, carried: Collection[str]) -> Move:
    """The way between two databases, at whichever end of it the stack file is now.

    :param carried: the declared extensions that the service needs.
    :raises ConfigError: there is no such service.
    """
    before = _with(stack, name, source, target, carried)
    after = _with(stack, name, target, source, carried)
    return Move(before, after, service_of(before, name), source, target)


def _with(stack: Stack, name: str, database: str | None, other: str | None, carried: Collection[str]) -> Stack:
    """The stack with the service in a database."""
    if service_of(stack, name).database == database:
        return stack
    services = tuple(
        each.model_copy(update={"database": database}) if each.name == name else each for each in stack.services
    )
    moved = replace(stack, services=services)
    known = {stack.server.database, *(each.database for each in services if each.database)}
    here, there = database or stack.server.database, other or stack.server.database
    extensions = tuple(
        _extension(each, here, there, known, stack.server.database, carried=each.name in carried)
        for each in stack.extensions
    )
    return replace(moved, extensions=extensions)


def _extension(extension: Extension, here: str, left: str, known: set[str], shared: str, *, carried: bool) -> Extension:
    """An extension in the databases that it is to be in: a database that no service names any more is none of them."""
    now = extension.databases or (shared,)
    then = tuple(each for each in now if each in known or each != left)
    if here not in then and (carried or not then):
        then = (*then, here)
    if then == now:
        return extension
    return extension.model_copy(update={"databases": None if then == (shared,) else then})
