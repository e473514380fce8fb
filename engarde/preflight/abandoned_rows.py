"""What a run would leave behind with rows in it: refused, unless an open move or the stack file names just that."""

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
    """A schema in the state, whose service the stack file has in another database."""

    service: str
    schema: str
    database: str
    """as the tool calls it"""
    home: str
    """where the service is by the stack file, called in the same way"""
    named: bool = False
    """an open move or the stack file says that it is left"""

    @property
    def place(self) -> str:
        """As `leaves` says it."""
        return spelled(self.database, self.schema)


@dataclass(frozen=True, slots=True)
class Moved:
    """A database that the state has at another address."""

    was: Access
    schemas: tuple[str, ...]
    """that services have there by the state"""

    @property
    def place(self) -> str:
        return f"{self.was.where}/{self.was.database}"


@dataclass(frozen=True, slots=True)
class Leaving:
    """All that a run would leave, of what is or was in the database."""

    database: DatabaseStack
    left: tuple[Left, ...]
    moved: Moved | None


def refuse(leaving: Leaving, password: str) -> None:
    """Keeps rows from being left where nobody looks for them; the password is the admin's.

    :raises Refused: there are rows, or that cannot be learnt, and nothing names their place.
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
            f"stack {database.name} has {services} elsewhere by its file than by the state, so the file may be older,"
            f" and whether rows would be left cannot be learnt: {refusal}"
        ) from None


def _named(database: DatabaseStack, moved: Moved) -> bool:
    return moved.was.database == database.server.database and moved.place in database.server.leaves


def _refuse_left(database: DatabaseStack, asked: Session, unnamed: Mapping[str, Left]) -> None:
    held = _with_rows(asked, sorted(unnamed))
    if not held:
        return
    found = [(unnamed[schema], _counted(schema, count)) for schema, count in held.items()]
    told = indented(
        f"{left.service}: {counted} in database {left.database}, and the stack file has the service in {left.home}"
        for left, counted in found
    )
    words = {left.service: {"leaves": [left.place]} for left, _ in found}
    raise Refused(
        f"stack {database.name} would leave rows behind, so its file may be older than the state; nothing was"
        f" changed:\n{told}\nTake `database` of these from the branch or the commit that has it; `bin/engarde split`"
        " moves a service with its rows. Only where the rows are to stay behind, closed, say so for this one change:\n"
        + lines("services", words)
    )


def _refuse_moved(database: DatabaseStack, asked: Session, moved: Moved) -> None:
    """The same server may be reached by another address, and a database may have been renamed."""
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
        why = f"whether they hold rows cannot be learnt: {refusal.reason}"
    if not why:
        return
    allows = (
        "Only where they are to stay behind, say so for this one change, and run `up --refresh`, which makes anew what"
        f" is not there:\n{key_of(database)}:\n  leaves: ['{moved.place}']"
        if same_name
        else "A stack keeps the name of its database: give the new one that of the old"
    )
    raise Refused(
        f"stack {database.name} is in database {moved.place} by the state, and in {here.place} by its file, which may"
        f" be older than the state; nothing was changed. Services have schemas there by the state, and {why}. Take the"
        f" address from the branch or the commit that has it. {allows}"
    )


def _with_rows(asked: Session, schemas: Sequence[str]) -> dict[str, int]:
    if not schemas:
        return {}
    try:
        return {row["schema"]: row["tables"] for row in asked.try_query("with_rows", dict, schemas=list(schemas))}
    except NotAnswered as refusal:
        # Somebody has locked one since: what cannot be seen may have rows.
        if str(refusal) != LOCKED:
            raise
        return dict.fromkeys(schemas, 1)


def _counted(schema: str, tables: int) -> str:
    return f"schema {schema} has rows in {tables} table{'s' if tables > 1 else ''}"


def idle_words(stack: Stack, leaving: Collection[Leaving]) -> Iterator[str]:
    """Words for one change that was made, a sentence each: a later one would go through by them."""
    places = {(left.service, left.place) for what in leaving for left in what.left}
    for service in stack.services:
        for place in service.leaves:
            if (service.name, place) not in places:
                yield f"engarde:services.{key(service.name)}.leaves: nothing is left in {place} by now{_OUT}"
    servers = {what.moved.place for what in leaving if what.moved}
    for database in (what.database for what in leaving if what.database.server_wide):
        for place in database.server.leaves:
            if place not in servers:
                yield f"{key_of(database)}.leaves: the state has nothing at {place} by now{_OUT}"


_OUT = ": take it out of the stack file"


def key_of(database: DatabaseStack) -> str:
    """Of the database's server in the stack file."""
    return f"engarde:databases.{key(database.label)}" if database.elsewhere else "engarde:server"
