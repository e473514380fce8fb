"""What a move would be: what goes, what stands in its way, and what is written into the stack file."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from engarde.backup.clients import client
from engarde.checks import journals
from engarde.declaration import stack_file
from engarde.declaration.database_rules import SERVERS_OWN
from engarde.declaration.databases import service_of
from engarde.declaration.model import Stack
from engarde.declaration.names import complaint
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, EngardeError, Refused, Unreachable
from engarde.pulumi_cli.logins import access, login_of_admin
from engarde.pulumi_cli.process import preview
from engarde.rotate.lockout import attempt_login
from engarde.server.functions import CITUS
from engarde.server.session import Session, session
from engarde.split.databases import SHOWN
from engarde.split.inspect import Contents, Target, contents, create, look
from engarde.split.move import Move, changes, draft, move
from engarde.split.report import MovePlan
from engarde.util.quoting import quoted, statement
from engarde.util.terminal import Say, visible
from engarde.verify.run import Asked, verify

LEAST = 2
"""Connections that a copy takes."""

OPEN_BEFORE = 15
"""The first release in which `public` is the database's owner's, and nobody else makes things there."""


def plan(stack: Stack, name: str, to: str, pg_bin: str | None, say: Say) -> MovePlan:
    """Looks at both ends and at everything in between, and changes nothing.

    :raises ConfigError: there is no such service, or no database can be called so.
    :raises Refused: the service is on its way already.
    :raises Unreachable: the engine or a server could not be asked.
    """
    service = service_of(stack, name)
    _refuse_name(stack, name, to)
    if (begun := journals.read_move(stack.name, name)) is not None:
        raise Refused(begun.told(stack.name))
    password = access(stack, name).password
    bare = move(stack, name, service.database, to, ())
    say("looking at both databases")
    with session(login_of_admin(bare.old)) as asked:
        found = contents(asked, service)
        way = move(stack, name, service.database, to, [extension.name for extension in found.extensions])
        target = look(way.new, service.role, found)
        obstacles = [
            *of_declaration(way),
            *of_contents(found),
            *of_server(asked, found, target, pg_bin),
            *of_target(way, found, target),
        ]
    obstacles += [*_trust(way, password), *_unrest(stack, way, say)]
    return MovePlan(way, found, target, tuple(dict.fromkeys(obstacles)), changes(way.before, way.after))


def _refuse_name(stack: Stack, name: str, to: str) -> None:
    if "://" in to:
        raise ConfigError(_declared_instead(stack, name, to))
    known = {database.name for database in stack.other_servers}
    if wrong := complaint(to) or ("holds %, ? or #" if set("%?#") & set(to) else None):
        raise ConfigError(f"no database can be called so: {wrong}")
    if to == stack.server.database:
        raise ConfigError(f"{to} is the database that the services share; `bin/engarde split back {name}` leads there")
    if to in SERVERS_OWN and to not in known:
        raise ConfigError(f"{to} is a database of the server's own")
    if service_of(stack, name).database == to:
        raise ConfigError(f"{name} is in database {to} already")


def _declared_instead(stack: Stack, name: str, url: str) -> str:
    """The lines by which a server is declared whose password stands in no argument."""
    try:
        parts = urlsplit(url)
        server: dict[str, object] = {"host": parts.hostname or "HOST", "port": parts.port or 5432}
        database, user = parts.path.strip("/") or name, parts.username
    except ValueError:
        server, database, user = {"host": "HOST", "port": 5432}, name, None
    server |= {"database": database} if database != name else {}
    server |= {"user": user} if user not in (None, "postgres") else {}
    return (
        "a URL's password would stand in the process list and in the shell's history: it is taken from nowhere but the"
        f" stack file. Put this into {file_name(stack.name)}:\n{stack_file.lines('databases', {name: server})}\n"
        f"then `bin/pulumi config set --secret --path 'adminPasswords[\"{name}\"]' --stack {stack.name}`, which asks"
        f" for it, and say --to {name}. Whoever has seen this command has the password in the URL: change it"
    )


def _trust(way: Move, password: str) -> Iterator[str]:
    role = way.service.role
    known = attempt_login(way.old, role, password)
    if not known.let_in:
        yield f"{role} is not let in with the state's password: `bin/engarde rotate --reapply {way.service.name}`"
    elif not known.asked_for_password:
        yield (
            f"the server lets {role} in without asking for a password (pg_hba.conf: trust, peer or the like), so that"
            " nothing would keep the service from writing meanwhile"
        )


def _unrest(stack: Stack, way: Move, say: Say) -> Iterator[str]:
    """What has to be as declared before, so that it can be seen to be so afterwards."""
    name = way.service.name
    if name in journals.read_rotations(stack.name).begun:
        yield f"a rotation of {name} was begun: `bin/engarde rotate {name} --stack {stack.name}` ends it"
    say("preview of the stack as it is")
    try:
        if steps := preview(stack.name):
            more = ", ".join(map(str, steps[:SHOWN]))
            yield f"what is declared is not brought up: `bin/pulumi up --stack {stack.name}` first ({more})"
    except Unreachable as fault:
        # The engine has answered before: it is the declaration that does not fit.
        yield f"what is declared cannot be brought up: {fault}"
    say("comparing what is in force with what is declared")
    if findings := verify(stack, Asked(logins=False), lambda left: None).findings:
        more = "; ".join(f"{finding.check}: {finding.subject}" for finding in findings[:SHOWN])
        yield f"`bin/engarde verify --stack {stack.name}` has {len(findings)} findings; heal them first ({more})"
    try:
        with draft(way.before, way.after):
            pass
    except EngardeError as fault:
        yield str(fault)


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
