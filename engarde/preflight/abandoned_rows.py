"""Refuses a run that would leave schemas with rows behind, unless an open move or the stack file names them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.names import spelled
from engarde.declaration.stack_file import lines
from engarde.declaration.validation import key
from engarde.errors import LoginRefused, NotAnswered, Refused
from engarde.server.credentials import Access
from engarde.server.session import LOCKED, Session, session
from engarde.util.terminal import indented


@dataclass(frozen=True, slots=True)
class Left:
    """A schema in the state whose service is in another database by the stack file."""

    service: str
    schema: str
    database: str
    """as the tool calls it"""
    home: str
    """the service's database by the stack file, as the tool calls it"""
    named: bool = False
    """an open move or the stack file says that it is left"""

    @property
    def place(self) -> str:
        """The place in the form of `leaves`."""
        return spelled(self.database, self.schema)


@dataclass(frozen=True, slots=True)
class Moved:
    """A database that has another address in the state."""

    was: Access
    schemas: tuple[str, ...]
    """the services' schemas there, by the state"""

    @property
    def place(self) -> str:
        return f"{self.was.where}/{self.was.database}"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Everything in one database that a run would leave behind."""

    database: DatabaseStack
    left: tuple[Left, ...]
    moved: Moved | None


def refuse(leaving: Leaving, password: str) -> None:
    """Refuses to leave rows behind unless their place is named; the password is the admin's.

    :raises Refused: there are rows, or that could not be checked, and nothing names their place.
    :raises Unreachable: the server was lost meanwhile.
    """
    database, moved = leaving.database, leaving.moved
    unnamed = [left for left in leaving.left if not left.named]
    if not unnamed and (moved is None or not moved.schemas or _named(database, moved)):
        return
    try:
        with session(Access(database.server, database.server.database, database.server.user, password)) as asked:
            _refuse_left(database, asked, {left.schema: left for left in unnamed})
            if moved and not _named(database, moved):
                _refuse_moved(database, asked, moved)
    except LoginRefused as refusal:
        services = ", ".join(sorted({left.service for left in unnamed})) or "services"
        raise Refused(
            f"the stack file and the state of {database.name} have {services} in different places, so the file may be"
            " older than the state. Nothing was changed. It could not be checked whether rows would be left behind:"
            f" {refusal}"
        ) from None


def _named(database: DatabaseStack, moved: Moved) -> bool:
    return moved.was.database == database.server.database and moved.place in database.server.leaves


def _refuse_left(database: DatabaseStack, asked: Session, unnamed: Mapping[str, Left]) -> None:
    held = _with_rows(asked, sorted(unnamed))
    if not held:
        return
    found = [(unnamed[schema], _counted(schema, count)) for schema, count in held.items()]
    told = indented(
        f"{left.service}: {counted} in database {left.database}, but the stack file has the service in {left.home}"
        for left, counted in found
    )
    words = {left.service: {"leaves": [left.place]} for left, _ in found}
    raise Refused(
        f"stack {database.name} would leave rows behind; its stack file may be older than the state. Nothing was"
        f" changed.\n{told}\nTake `database` of these services from the newest version of the stack file. To move a"
        " service with its rows, use `bin/engarde split`. If the rows are to stay behind, closed to everybody, add"
        " this for this change only:\n" + lines("services", words)
    )


def _refuse_moved(database: DatabaseStack, asked: Session, moved: Moved) -> None:
    """Another address may lead to the same server, and a database may have been renamed."""
    was, here = moved.was, database.server
    same_name = was.database == here.database
    [(server, has_old_name)] = asked.tuples("which_server", database=was.database)
    if (was.address.host, was.address.port) == (here.host, here.port) and not has_old_name:
        return
    try:
        with session(was) as there:
            [(old_server, _)] = there.tuples("which_server", database=here.database)
            if old_server == server and same_name:
                return
            held = _with_rows(there, moved.schemas)
            why = "; ".join(_counted(schema, tables) for schema, tables in held.items())
    except LoginRefused as refusal:
        why = f"it could not be checked whether they have rows: {refusal.reason}"
    if not why:
        return
    allows = (
        "If they are to stay behind, add this for this change only, and run `up --refresh`, which creates what is"
        f" missing:\n{key_of(database)}:\n  leaves: ['{moved.place}']"
        if same_name
        else "A stack cannot change the name of its database: give the new database the old name"
    )
    raise Refused(
        f"stack {database.name} is in database {moved.place} by the state, but in {here.place} by its stack file, which"
        f" may be older than the state. Nothing was changed. Services have schemas at the old address, and {why}. Take"
        f" the address from the newest version of the stack file. {allows}"
    )


def _with_rows(asked: Session, schemas: Sequence[str]) -> dict[str, int]:
    if not schemas:
        return {}
    try:
        return {row["schema"]: row["tables"] for row in asked.try_query("with_rows", dict, schemas=list(schemas))}
    except NotAnswered as refusal:
        # Somebody has locked one meanwhile: a table that cannot be seen may have rows.
        if str(refusal) != LOCKED:
            raise
        return dict.fromkeys(schemas, 1)


def _counted(schema: str, tables: int) -> str:
    return f"schema {schema} has rows in {tables} table{'s' if tables > 1 else ''}"


def idle_words(stack: Stack, leaving: Collection[Leaving]) -> Iterator[str]:
    """Warnings about `leaves` whose change is done: it would let a later change through."""
    places = {(left.service, left.place) for what in leaving for left in what.left}
    for service in stack.services:
        for place in service.leaves:
            if (service.name, place) not in places:
                yield f"engarde:services.{key(service.name)}.leaves: nothing is left in {place} any more{_OUT}"
    servers = {what.moved.place for what in leaving if what.moved}
    for database in (what.database for what in leaving if what.database.server_wide):
        for place in database.server.leaves:
            if place not in servers:
                yield f"{key_of(database)}.leaves: the state has nothing at {place} any more{_OUT}"


_OUT = "; remove it from the stack file"


def key_of(database: DatabaseStack) -> str:
    """The key of the database's server in the stack file."""
    return f"engarde:databases.{key(database.label)}" if database.elsewhere else "engarde:server"
