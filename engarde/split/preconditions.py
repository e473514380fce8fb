"""What stands in the way of a move, a sentence each: asked before anything is touched."""

from collections.abc import Iterator

from engarde.backup.clients import client
from engarde.errors import Refused
from engarde.server.functions import CITUS
from engarde.server.session import Session
from engarde.split.inspect import Contents, Target
from engarde.split.move import Move
from engarde.util.quoting import literal, quoted, statement
from engarde.util.terminal import visible

LEAST = 2
"""Connections that a copy takes."""

OPEN_BEFORE = 15
"""The first release in which `public` is the database's owner's, and nobody else makes things there."""


def of_declaration(move: Move) -> Iterator[str]:
    """Reads go no further than a database."""
    service = move.service
    for read in service.reads:
        yield (
            f"{service.name} reads {read.schema_}.{read.table}, and PostgreSQL reads in one database at a time: take"
            " the read out of the stack file once the service does without it"
        )
    for call in service.executes:
        yield f"{service.name} calls {call}, which is in one database only: take the call out of the stack file"
    for other in move.before.services:
        if other.name != service.name and any(read.schema_ == service.schema_ for read in other.reads):
            tables = ", ".join(str(read) for read in other.reads if read.schema_ == service.schema_)
            yield f"{other.name} reads {tables}, and could not any more: take the read out of the stack file"
        for call in other.executes:
            if other.name != service.name and call.schema_ == service.schema_:
                yield f"{other.name} calls {call}, and could not any more: take the call out of the stack file"
    for role in move.before.outside_roles:
        for read in role.reads:
            if read.schema_ == service.schema_:
                yield f"{role.name} reads {read}, and could not any more: take the read out of the stack file"
    if service.connection_limit < LEAST:
        yield f"{service.name} may have one connection, and a copy takes {LEAST}: raise its connectionLimit"


def of_contents(found: Contents) -> Iterator[str]:
    """What is in the schema, and what hangs on it."""
    for edge in found.needed_by:
        # A view reads by its rule.
        who = visible(str(edge)).replace('rule "_RETURN" on ', "view ")
        yield f"{who} needs what is in schema {found.schema}, and would be left behind without it: drop it first"
    for name in found.forced:
        sql = statement("ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY", found.schema, name)
        table = visible(quoted(found.schema, name))
        yield f"row security is forced on {table}, so that its owner does not see all rows: {sql}"
    if found.source.prepared:
        yield (
            f"{found.source.prepared} prepared transactions of the service's are neither committed nor taken back:"
            " COMMIT PREPARED or ROLLBACK PREPARED (pg_prepared_xacts names them)"
        )


def of_server(asked: Session, found: Contents, target: Target, pg_bin: str | None) -> Iterator[str]:
    """What the tool works with."""
    if asked.pooled:
        yield "the admin's address is a pooler's: state the server's own in engarde:server, as a copy needs it"
    if target.server.major < found.source.major:
        yield f"the new server is PostgreSQL {target.server.major}, older than the {found.source.major} of the old one"
    try:
        client(pg_bin, max(found.source.major, target.server.major), encrypted=asked.encrypted)
    except Refused as refusal:
        yield str(refusal)


def of_target(move: Move, found: Contents, target: Target) -> Iterator[str]:
    """What the new database is, or is not."""
    name, admin = move.new.server.database, move.new.server.user
    if CITUS in {extension.name for extension in target.extensions}:
        yield f"database {name} has the extension {CITUS}, and a copy cannot be loaded there"
    if not target.there and not target.server.may_create:
        yield f"{admin} may make no database; as a superuser of it: {create(found, name, admin)}"
    elif not target.there and target.server.major < OPEN_BEFORE and not move.new.server.superuser:
        give = statement("ALTER SCHEMA public OWNER TO {}", admin)
        yield (
            f"before PostgreSQL {OPEN_BEFORE} `public` of a new database is a superuser's; as one:"
            f" {create(found, name, admin)}; and in it: {give}"
        )
    if not target.server.owns:
        yield f"database {name} is not {admin}'s: {statement('ALTER DATABASE {} OWNER TO {}', name, admin)}"
    if target.server.encoding not in (None, found.source.encoding):
        yield f"database {name} is in {target.server.encoding}, and the data in {found.source.encoding}"
    if move.other_server and target.server.role_there:
        yield (
            f"role {move.service.role} is on the new server already. Where nobody uses it, in each of its databases"
            f" {statement('DROP OWNED BY {}', move.service.role)} then {statement('DROP ROLE {}', move.service.role)}"
        )
    for edge in target.missing:
        what = visible(str(edge))
        yield f"{what} is outside of schema {found.schema} and needed in it, and database {name} has no such thing"
    yield from _held(move, found, target)
    yield from _extensions(name, found, target)


def _held(move: Move, found: Contents, target: Target) -> Iterator[str]:
    held, name, role = target.held, move.new.server.database, move.service.role
    if held is None:
        return
    if held.owner not in (None, role):
        yield f"database {name} has a schema {found.schema}, which is {visible(held.owner)}'s"
    if held.inside:
        drop = statement("DROP SCHEMA {} CASCADE", found.schema)
        yield f"schema {found.schema} of database {name} holds {held.inside} objects. Where nobody needs them: {drop}"
    if held.owned:
        yield f"{role} owns {held.owned} things in database {name} already"
    if held.numbers_of:
        yield (
            f"large objects in database {name} have the numbers of the service's, and are"
            f" {', '.join(map(visible, sorted(set(held.numbers_of))))}'s: take a database of its own"
        )


def _extensions(database: str, found: Contents, target: Target) -> Iterator[str]:
    there = {extension.name: extension.schema for extension in target.extensions}
    schemas = {"public", found.schema, *(target.held.schemas if target.held else ())}
    for extension in found.extensions:
        name, wanted, schema = extension.name, extension.schema, there.get(extension.name)
        if schema == wanted:
            continue
        if schema is not None:
            yield f"extension {name} is in schema {visible(schema)} of database {database}, and has to be in {wanted}"
        elif name not in target.offered:
            yield f"extension {name} cannot be had on the new server by its admin; the service needs it"
        elif wanted == found.schema:
            yield (
                f"extension {name} is in schema {wanted}, which is the service's own: made there, its script would call"
                " what the service puts in its way, with the admin's rights. As a superuser in the old database:"
                f" {statement('ALTER EXTENSION {} SET SCHEMA public', name)}"
            )
        elif wanted not in schemas:
            yield f"extension {name} is in schema {wanted}, which database {database} does not have"


def create(found: Contents, name: str, owner: str | None = None) -> str:
    """The statement that makes a database like the old one."""
    source = found.source
    words = [
        f"CREATE DATABASE {quoted(name)}",
        *([f"OWNER {quoted(owner)}"] if owner else []),
        f"TEMPLATE template0 ENCODING {literal(source.encoding)}",
        f"LC_COLLATE {literal(source.collate)} LC_CTYPE {literal(source.ctype)}",
    ]
    if source.provider == "i" and source.locale:
        words.append(f"LOCALE_PROVIDER icu ICU_LOCALE {literal(source.locale)}")
    if source.provider == "b" and source.locale:
        words.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(source.locale)}")
    return " ".join(words)
