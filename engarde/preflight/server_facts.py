"""What the program asks the server before it touches anything."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engarde.declaration.grants import Execute
from engarde.declaration.model import DatabaseStack, Table
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import readings
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, LoginRefused, Refused, Why
from engarde.preflight import admin_privileges, conflicts, revocations
from engarde.preflight.admin_privileges import refuse_shadows
from engarde.preflight.conflicts import Made, rename_faults
from engarde.preflight.revocations import Given
from engarde.server import functions
from engarde.server.catalog import Existing, Setting, roles_of
from engarde.server.credentials import Access
from engarde.server.functions import Function, refuse_event_triggers
from engarde.server.session import Session, session
from engarde.util.quoting import statement
from engarde.util.terminal import BREAKS, indented, visible


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What there is in a database before a run."""

    tables: frozenset[Table] = frozenset()
    """that services may read"""
    roles: frozenset[str] = frozenset()
    """of those that the stack makes or names"""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """what roles start with in every database: role -> setting -> value"""
    views: frozenset[Table] = frozenset()
    """of the tables: those that run what their owners put into them"""
    functions: Mapping[Execute, Function] = field(default_factory=dict)
    """those that services are, or were, declared to call, in the words of the declaration"""


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier run left in the state, as far as it is of this database and its server."""

    read: frozenset[str] = frozenset()
    """the schemas in which it let services read"""
    called: frozenset[Execute] = frozenset()
    """the functions that it let them call"""
    retired: frozenset[str] = frozenset()
    """the schemas of services that are declared no more"""
    going: frozenset[str] = frozenset()
    """the roles of services that are declared no more"""
    made: frozenset[Made] = frozenset()
    """the roles and schemas that it made"""
    taken_over: frozenset[str] = frozenset()
    """the roles that it began to make"""
    rekeyed: frozenset[str] = frozenset()
    """the services that it has under other keys"""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """role -> what it is called there, where that is something else"""
    given: Given = field(default_factory=Given)
    """what tells whose access and passwords the run takes"""


def survey(stack: DatabaseStack, password: str, before: Before, warn: Callable[[str], None]) -> ServerFacts:
    """What exists in a database of the stack, once it is sure that the run can come to its end there.

    It warns of what the run takes from whom.

    :raises Unreachable: the server could not be asked.
    :raises ConfigError: the stack file calls the admin a superuser, and it is none, or there is no such database.
    :raises Refused: the admin lacks a right, a schema that would have to go holds data, something is another's, others'
        code would run in it, or roles would be shut out of which the stack file says nothing.
    """
    read = {PUBLIC, *before.read, *(read.schema_ for _, read in readings(stack))}
    server = stack.server
    try:
        with session(Access(server, server.database, server.user, password)) as asked:
            refuse_shadows(stack, asked)
            refuse_event_triggers(asked, server.user)
            _refuse_to_lose(stack, asked, before)
            _refuse_half_gone(stack, asked, before)
            existing = _refuse_to_take(stack, asked, before)
            context = revocations.look(stack, asked, existing)
            for warning in revocations.warnings(stack, asked, before.given, context, before.renamed):
                warn(visible(warning, keep=BREAKS))
            if faults := [*revocations.faults(stack, before.given, context)]:
                raise Refused(f"stack {stack.name} needs a word first; nothing was changed\n" + "\n".join(faults))
            # Before what the admin lacks: of a read that is to go it lacks nothing.
            _refuse_to_grant_to_owners(stack, asked)
            _check(stack, asked)
            return ServerFacts(
                asked.tables(sorted(read)),
                roles_of(existing),
                _settings(asked),
                frozenset(asked.tuples("views_in", schemas=sorted(read))),
                functions.find(
                    asked, [*before.called, *(execute for service in stack.services for execute in service.executes)]
                ),
            )
    except LoginRefused as refusal:
        if stack.label and refusal.why is Why.NO_DATABASE:
            names = ", ".join(service.name for service in stack.services) or "the state"
            raise ConfigError(
                f"{file_name(stack.name)}: database {server.database}, which {names} names, does not exist on"
                f" {server.host}:{server.port}, and no run of the stack makes databases. Nothing was changed. Make it"
                f" as {server.user}, in the encoding and with the locale that it is to have:"
                f" {statement('CREATE DATABASE {}', server.database)}"
            ) from None
        raise


def _settings(asked: Session) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for setting in asked.query("settings", Setting):
        if setting.role and setting.database is None:
            found[setting.role][setting.name] = setting.value
    return dict(found)


def _refuse_to_lose(stack: DatabaseStack, asked: Session, before: Before) -> None:
    """The engine would find out by itself, but only after the service's grants have gone."""
    if held := asked.tuples("held", schemas=sorted(before.retired)):
        counted = ", ".join(f"{schema} ({count} objects)" for schema, count in held)
        raise Refused(
            f"these schemas are in the state of stack {stack.name}, declared by no service, and not empty: {counted}."
            " Nothing was changed. Declare the service again, or retire it as the README says: copy its data, drop the"
            " schema as the service, and then take it out of the stack file"
        )


def _refuse_half_gone(stack: DatabaseStack, asked: Session, before: Before) -> None:
    """A role that goes, and that has something in another database: the engine drops it from this one alone."""
    if stack.label and not stack.elsewhere:
        return
    if owners := asked.tuples("owned_elsewhere", roles=sorted(before.going)):
        lines = indented(f"in {visible(where)}: {statement('DROP OWNED BY {}', role)}" for role, where in owners)
        raise Refused(
            f"roles that stack {stack.name} declares no more are still known to other databases, and PostgreSQL drops"
            " no such role; nothing was changed. As the admin, after a look at what they own there and lose with"
            f" this:\n{lines}"
        )


def _refuse_to_take(stack: DatabaseStack, asked: Session, before: Before) -> list[Existing]:
    named = sorted({*conflicts.roles(stack), *stack.shut_out})
    schemas = sorted(service.schema_ for service in stack.services)
    existing = asked.query("existing", Existing, roles=named, schemas=schemas)
    own_roles = before.taken_over | {made.name for made in before.made if made.kind == "role"}
    roles = roles_of(existing)
    renamed = rename_faults(stack, before.made, before.rekeyed, roles)
    if faults := [*renamed, *conflicts.faults(stack, existing, own_roles, before.renamed)]:
        raise Refused(f"stack {stack.name} and its server do not fit; nothing was changed:\n{indented(faults)}")
    return existing


def _refuse_to_grant_to_owners(stack: DatabaseStack, asked: Session) -> None:
    """A grant to an owner shows as all that it has by itself, and the run after would take that away."""
    reads = {(read.schema_, read.table, role.name) for role in stack.outside_roles for read in role.reads}
    if not reads:
        return
    found = asked.query("owners", admin_privileges.Owned, schemas=sorted({schema for schema, _, _ in reads}))
    owned = {(table.schema, table.name or "", table.owner) for table in found if table.kind == "table"}
    if own := sorted(reads & owned):
        lines = indented(f"{visible(role)}: {visible(f'{schema}.{table}')}" for schema, table, role in own)
        raise Refused(
            "these outside roles own what they are declared to read, and need no grant on it; nothing was changed. Take"
            f" these reads out of engarde:outsideRoles:\n{lines}"
        )


def _check(stack: DatabaseStack, asked: Session) -> None:
    admin = admin_privileges.admin(asked)
    if admin.superuser:
        return
    if stack.server.superuser:
        raise ConfigError(
            f"{file_name(stack.name)}: engarde:server.superuser: {admin.name} is no superuser;"
            " set it to false, or name a superuser as engarde:server.user. Nothing was changed"
        )
    if lacking := admin_privileges.missing(stack, admin_privileges.ask(stack, asked)):
        raise Refused(
            f"{admin.name} is no superuser and lacks rights that this stack needs; nothing was changed."
            f" A superuser gives them with, in database {stack.server.database}:\n{indented(lacking)}"
        )
