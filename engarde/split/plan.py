"""Plans a move: what it would copy, what prevents it, and what it writes into the stack file."""

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
"""Connections that a copy needs."""

OPEN_BEFORE = 15
"""The first release in which the database's owner owns `public`, and only this owner creates objects there."""


def plan(stack: Stack, name: str, to: str, pg_bin: str | None, say: Say) -> MovePlan:
    """Reads both databases, the stack and its state; changes nothing.

    :raises ConfigError: there is no such service, or it cannot move to a database of this name.
    :raises Refused: a move of the service is open already.
    :raises Unreachable: Pulumi or a server does not answer.
    """
    service = service_of(stack, name)
    _refuse_name(stack, name, to)
    if (begun := journals.read_move(stack.name, name)) is not None:
        raise Refused(begun.told(stack.name))
    password = access(stack, name).password
    bare = move(stack, name, service.database, to, ())
    say("reading both databases")
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
        raise ConfigError(f"--to does not name a database: {wrong}")
    if to == stack.server.database:
        raise ConfigError(f"{to} is the shared database; `bin/engarde split back {name}` moves {name} back to it")
    if to in SERVERS_OWN and to not in known:
        raise ConfigError(f"{to} is one of the server's own databases; name another one")
    if service_of(stack, name).database == to:
        raise ConfigError(f"{name} is already in database {to}")


def _declared_instead(stack: Stack, name: str, url: str) -> str:
    """Says how to declare a server, so that its password is not an argument."""
    try:
        parts = urlsplit(url)
        server: dict[str, object] = {"host": parts.hostname or "HOST", "port": parts.port or 5432}
        database, user = parts.path.strip("/") or name, parts.username
    except ValueError:
        server, database, user = {"host": "HOST", "port": 5432}, name, None
    server |= {"database": database} if database != name else {}
    server |= {"user": user} if user not in (None, "postgres") else {}
    return (
        "--to takes no URL: its password would be in the process list and in the shell's history. If the URL of this"
        " command had a password, change that password. Declare the server instead: add this to"
        f" {file_name(stack.name)}:\n{stack_file.lines('databases', {name: server})}\n"
        f"Then run `bin/pulumi config set --secret --path 'adminPasswords[\"{name}\"]' --stack {stack.name}`, which"
        f" asks for the password, and run this command again with --to {name}"
    )


def _trust(way: Move, password: str) -> Iterator[str]:
    role = way.service.role
    known = attempt_login(way.old, role, password)
    if not known.let_in:
        reapply = f"bin/engarde rotate --reapply {way.service.name}"
        yield f"{role} cannot log in with the state's password: `{reapply}` sets it again"
    elif not known.asked_for_password:
        yield (
            f"{role} can log in without a password (pg_hba.conf: trust, peer or a similar method), so the move could"
            " not stop the service from writing: make the server ask for a password"
        )


def _unrest(stack: Stack, way: Move, say: Say) -> Iterator[str]:
    """What has to be finished and as declared before the move, so that `verify` can prove the move."""
    name = way.service.name
    if name in journals.read_rotations(stack.name).begun:
        yield f"a rotation of {name} is open: `bin/engarde rotate {name} --stack {stack.name}` finishes it"
    say("previewing the stack")
    try:
        if steps := preview(stack.name):
            more = ", ".join(map(str, steps[:SHOWN]))
            yield f"the stack file has changes that are not applied ({more}): run `bin/pulumi up --stack {stack.name}`"
    except Unreachable as fault:
        # Pulumi has answered before: it cannot apply the declaration.
        yield f"Pulumi cannot apply the stack file: {fault}"
    say("comparing the databases with the stack file")
    if findings := verify(stack, Asked(logins=False), lambda left: None).findings:
        more = "; ".join(f"{finding.check}: {finding.subject}" for finding in findings[:SHOWN])
        yield f"`bin/engarde verify --stack {stack.name}` has {len(findings)} findings ({more}): fix them first"
    try:
        with draft(way.before, way.after):
            pass
    except EngardeError as fault:
        yield str(fault)


def of_declaration(move: Move) -> Iterator[str]:
    """Reads and calls that would cross databases, and a limit that is too low for a copy."""
    service = move.service
    remove_read = "no query reads from two databases. Remove the read from the code and from the stack file"
    remove_call = "no query calls into another database. Remove the call from the code and from the stack file"
    for read in service.reads:
        yield f"{service.name} reads {read.schema_}.{read.table}: {remove_read}"
    for call in service.executes:
        yield f"{service.name} calls {call}: {remove_call}"
    for other in move.before.services:
        if other.name != service.name and any(read.schema_ == service.schema_ for read in other.reads):
            tables = ", ".join(str(read) for read in other.reads if read.schema_ == service.schema_)
            yield f"{other.name} reads {tables}: {remove_read}"
        for call in other.executes:
            if other.name != service.name and call.schema_ == service.schema_:
                yield f"{other.name} calls {call}: {remove_call}"
    for role in move.before.outside_roles:
        for read in role.reads:
            if read.schema_ == service.schema_:
                yield f"{role.name} reads {read}: {remove_read}"
    if service.connection_limit < LEAST:
        yield f"the connectionLimit of {service.name} is 1, and a copy needs {LEAST} connections: raise it"


def of_contents(found: Contents) -> Iterator[str]:
    """What prevents a copy of the schema, or needs the schema where it is now."""
    for edge in found.needed_by:
        # A view depends on tables through its rule.
        who = visible(str(edge)).replace('rule "_RETURN" on ', "view ")
        yield f"{who} needs objects of schema {found.schema}, which it would lose: drop it first"
    for name in found.forced:
        sql = statement("ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY", found.schema, name)
        table = visible(quoted(found.schema, name))
        yield f"row security is forced on {table}, so a copy as its owner would miss rows: {sql}"
    if found.source.prepared:
        yield (
            f"the service has {found.source.prepared} prepared transactions (pg_prepared_xacts names them): run COMMIT"
            " PREPARED or ROLLBACK PREPARED for each"
        )


def of_server(asked: Session, found: Contents, target: Target, pg_bin: str | None) -> Iterator[str]:
    """What prevents a copy on the servers, or in the clients on this machine."""
    if asked.pooled:
        yield "the address in engarde:server is a pooler's, and a copy needs the server's own: change it"
    if target.server.major < found.source.major:
        yield (
            f"the new server is PostgreSQL {target.server.major}, which is older than the old server's"
            f" {found.source.major}: use a server of at least that version"
        )
    try:
        client(pg_bin, max(found.source.major, target.server.major), encrypted=asked.encrypted)
    except Refused as refusal:
        yield str(refusal)


def of_target(move: Move, found: Contents, target: Target) -> Iterator[str]:
    """What prevents a copy in the new database, or on its server."""
    name, admin = move.new.server.database, move.new.server.user
    if CITUS in {extension.name for extension in target.extensions}:
        yield f"database {name} has the extension {CITUS}, so a copy cannot be loaded there: name another database"
    if not target.there and not target.server.may_create:
        yield f"{admin} may not create databases. Run as a superuser: {create(found, name, admin)}"
    elif not target.there and target.server.major < OPEN_BEFORE and not move.new.server.superuser:
        give = statement("ALTER SCHEMA public OWNER TO {}", admin)
        yield (
            f"before PostgreSQL {OPEN_BEFORE}, a superuser owns `public` of a new database. Run as a superuser:"
            f" {create(found, name, admin)}; and in that database: {give}"
        )
    if not target.server.owns:
        yield f"{admin} does not own database {name}: {statement('ALTER DATABASE {} OWNER TO {}', name, admin)}"
    if target.server.encoding not in (None, found.source.encoding):
        yield (
            f"database {name} has encoding {target.server.encoding}, the data has {found.source.encoding}: name another"
            " database"
        )
    if move.other_server and target.server.role_there:
        yield (
            f"role {move.service.role} already exists on the new server. If nobody uses it, run in each database there"
            f" {statement('DROP OWNED BY {}', move.service.role)} then {statement('DROP ROLE {}', move.service.role)}"
        )
    for edge in target.missing:
        what = visible(str(edge))
        yield f"schema {found.schema} needs {what}, which database {name} does not have: create it there"
    yield from _held(move, found, target)
    yield from _extensions(name, found, target)


def _held(move: Move, found: Contents, target: Target) -> Iterator[str]:
    held, name, role = target.held, move.new.server.database, move.service.role
    if held is None:
        return
    if held.owner not in (None, role):
        owner = visible(held.owner)
        yield f"database {name} has a schema {found.schema} already, owned by {owner}: name another database"
    if held.inside:
        drop = statement("DROP SCHEMA {} CASCADE", found.schema)
        yield f"schema {found.schema} of database {name} has {held.inside} objects. If nobody needs them: {drop}"
    if held.owned:
        yield (
            f"{role} already owns {held.owned} objects in database {name}, outside of schema {found.schema}: drop them,"
            " or name another database"
        )
    if held.numbers_of:
        owners = ", ".join(map(visible, sorted(set(held.numbers_of))))
        yield (
            f"large objects of {owners} in database {name} have the same numbers as the service's: name another"
            " database"
        )


def _extensions(database: str, found: Contents, target: Target) -> Iterator[str]:
    there = {extension.name: extension.schema for extension in target.extensions}
    schemas = {"public", found.schema, *(target.held.schemas if target.held else ())}
    for extension in found.extensions:
        name, wanted, schema = extension.name, extension.schema, there.get(extension.name)
        if schema == wanted:
            continue
        if schema is not None:
            yield (
                f"extension {name} is in schema {visible(schema)} of database {database}, and the service needs it in"
                f" schema {wanted}: move the extension, or name another database"
            )
        elif name not in target.offered:
            yield (
                f"the service needs extension {name}, which the new server does not have or its admin may not create:"
                " install it there, or create it as a superuser"
            )
        elif wanted == found.schema:
            yield (
                f"extension {name} is in schema {wanted}, which belongs to the service. If it were created there, its"
                " script could call functions of the service with the admin's privileges. Run as a superuser in the old"
                f" database: {statement('ALTER EXTENSION {} SET SCHEMA public', name)}"
            )
        elif wanted not in schemas:
            yield f"extension {name} is in schema {wanted}, which database {database} does not have: create the schema"
