"""What a move would be: what goes, what stands in its way, and what is written into the stack file."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from engarde.checks import journals
from engarde.declaration import stack_file
from engarde.declaration.database_rules import SERVERS_OWN
from engarde.declaration.databases import service_of
from engarde.declaration.model import Stack
from engarde.declaration.names import complaint
from engarde.errors import ConfigError, EngardeError, Refused, Unreachable
from engarde.pulumi_cli.logins import access, login_of_admin
from engarde.pulumi_cli.process import preview
from engarde.rotate.lockout import attempt_login
from engarde.server.session import session
from engarde.split import preconditions
from engarde.split.inspect import contents, look
from engarde.split.move import Move, changes, draft, move
from engarde.split.report import MovePlan
from engarde.split.source_comparison import SHOWN
from engarde.util.terminal import Say
from engarde.verify.run import Asked, verify


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
            *preconditions.of_declaration(way),
            *preconditions.of_contents(found),
            *preconditions.of_server(asked, found, target, pg_bin),
            *preconditions.of_target(way, found, target),
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
        f" stack file. Put this into Pulumi.{stack.name}.yaml:\n{stack_file.lines('databases', {name: server})}\n"
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
