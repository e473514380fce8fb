"""What the program reads from the server before it changes anything."""

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
from engarde.util.quoting import statement, word
from engarde.util.terminal import BREAKS, indented, visible


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a database has before a run."""

    tables: frozenset[Table] = frozenset()
    """in the schemas in which services read"""
    roles: frozenset[str] = frozenset()
    """the existing ones of those that the stack creates or names"""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """the roles' settings for every database: role -> setting -> value"""
    views: frozenset[Table] = frozenset()
    """those of the tables that run their owners' code"""
    functions: Mapping[Execute, Function] = field(default_factory=dict)
    """the functions that services are, or were, declared to call, as the stack file spells them"""


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier runs left in the state, of this database and its server."""

    read: frozenset[str] = frozenset()
    """the schemas in which services were granted reads"""
    called: frozenset[Execute] = frozenset()
    """the functions that services were granted"""
    retired: Mapping[str, str] = field(default_factory=dict)
    """schema of a service that is no longer declared -> the service"""
    going: frozenset[str] = frozenset()
    """the roles of services that are no longer declared"""
    made: frozenset[Made] = frozenset()
    """the roles and schemas that were created"""
    taken_over: frozenset[str] = frozenset()
    """the roles that an unfinished run created"""
    rekeyed: frozenset[str] = frozenset()
    """the services that have other keys in the state"""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """role -> its name in the state, if that is another one"""
    given: Given = field(default_factory=Given)
    """what tells which access and passwords the run takes"""


def survey(stack: DatabaseStack, password: str, before: Before, warn: Callable[[str], None]) -> ServerFacts:
    """What a database of the stack has, after checking that the run can succeed there.

    Warns about access that the run takes.

    :raises Unreachable: the server could not be asked.
    :raises ConfigError: the stack file calls the admin a superuser and it is not, or the database does not exist.
    :raises Refused: the admin lacks a privilege, a schema to be dropped has data, a role or schema is another's, other
        roles' code would run as the admin, or roles would be shut out that the stack file does not name.
    """
    read = {PUBLIC, *before.read, *(read.schema_ for _, read in readings(stack))}
    server = stack.server
    try:
        with session(Access(server, server.database, server.user, password)) as asked:
            refuse_shadows(stack, asked)
            refuse_event_triggers(asked, server.user)
            _refuse_to_lose(stack, asked, before)
            _refuse_half_gone(stack, asked, before)
            _refuse_to_move(stack, asked)
            existing = _refuse_to_take(stack, asked, before)
            context = revocations.look(stack, asked, existing)
            for warning in revocations.warnings(stack, asked, before.given, context, before.renamed):
                warn(visible(warning, keep=BREAKS))
            if faults := [*revocations.faults(stack, before.given, context)]:
                raise Refused(
                    f"stack {stack.name} cannot be brought up yet. Nothing was changed.\n" + "\n".join(faults)
                )
            # Before the admin's privileges: for a read that must be removed, it needs none.
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
                f"{file_name(stack.name)}: database {server.database} (of {names}) does not exist on"
                f" {server.host}:{server.port}, and `up` does not create databases. Nothing was changed. Create it as"
                f" {server.user}, with the encoding and the locale that you want:"
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
    """Pulumi would fail only after it has revoked the service's grants."""
    if held := asked.tuples("held", schemas=sorted(before.retired)):
        counted = ", ".join(f"{schema} ({count} objects)" for schema, count in held)
        retire = [f"bin/engarde retire {word(before.retired[schema])} --stack {stack.name}" for schema, _ in held]
        raise Refused(
            f"no service declares these schemas of stack {stack.name} any more, but they are not empty: {counted}."
            " Nothing was changed. Declare the service again, or retire it with a backup of its data:\n"
            + indented(retire)
        )


def _refuse_half_gone(stack: DatabaseStack, asked: Session, before: Before) -> None:
    """Roles to be dropped that own something in another database: the provider only runs DROP OWNED in this one."""
    if stack.label and not stack.elsewhere:
        return
    if owners := asked.tuples("owned_elsewhere", roles=sorted(before.going)):
        lines = indented(f"in {visible(where)}: {statement('DROP OWNED BY {}', role)}" for role, where in owners)
        raise Refused(
            f"stack {stack.name} no longer declares roles that still own objects or have privileges in other databases,"
            " and PostgreSQL cannot drop such a role. Nothing was changed. Check what they own there, since this drops"
            f" it. Fix (run as the admin):\n{lines}"
        )


def _refuse_to_move(stack: DatabaseStack, asked: Session) -> None:
    """PostgreSQL would refuse it only after the run has changed other things."""
    names = [extension.name for extension in stack.extensions]
    schemas = [extension.schema_ for extension in stack.extensions]
    if fixed := asked.tuples("extensions_unmovable", names=names, schemas=schemas):
        lines = indented(
            f"{name} is in schema {visible(schema)}, but declared in {wanted}: {statement('DROP EXTENSION {}', name)}"
            for name, schema, wanted in fixed
        )
        raise Refused(
            "PostgreSQL cannot move these extensions to another schema. Nothing was changed. Declare each in the schema"
            f" that it is in. Or drop it in database {stack.server.database} and run `bin/pulumi up --refresh --stack"
            f" {stack.name}`, which creates it in the declared schema. While anything uses the extension, PostgreSQL"
            " refuses to drop it; with CASCADE it drops that, too, and the data in columns of the extension's types is"
            f" lost:\n{lines}"
        )


def _refuse_to_take(stack: DatabaseStack, asked: Session, before: Before) -> list[Existing]:
    named = sorted({*conflicts.roles(stack), *stack.shut_out})
    schemas = sorted(service.schema_ for service in stack.services)
    existing = asked.query("existing", Existing, roles=named, schemas=schemas)
    own_roles = before.taken_over | {made.name for made in before.made if made.kind == "role"}
    roles = roles_of(existing)
    renamed = rename_faults(stack, before.made, before.rekeyed, roles)
    if faults := [*renamed, *conflicts.faults(stack, existing, own_roles, before.renamed)]:
        raise Refused(f"the server conflicts with stack {stack.name}. Nothing was changed.\n{indented(faults)}")
    return existing


def _refuse_to_grant_to_owners(stack: DatabaseStack, asked: Session) -> None:
    """A grant to an owner reads back as all of the owner's privileges, and the next run would revoke those."""
    reads = {(read.schema_, read.table, role.name) for role in stack.outside_roles for read in role.reads}
    if not reads:
        return
    found = asked.query("owners", admin_privileges.Owned, schemas=sorted({schema for schema, _, _ in reads}))
    owned = {(table.schema, table.name or "", table.owner) for table in found if table.kind == "table"}
    if own := sorted(reads & owned):
        lines = indented(f"{visible(role)}: {visible(f'{schema}.{table}')}" for schema, table, role in own)
        raise Refused(
            "these outside roles own what they are declared to read, so they need no grant. Nothing was changed. Remove"
            f" these reads from engarde:outsideRoles:\n{lines}"
        )


def _check(stack: DatabaseStack, asked: Session) -> None:
    admin = admin_privileges.admin(asked)
    if admin.superuser:
        return
    if stack.server.superuser:
        raise ConfigError(
            f"{file_name(stack.name)}: engarde:server.superuser: {admin.name} is not a superuser."
            " Nothing was changed. Set the key to false, or set engarde:server.user to a superuser"
        )
    if lacking := admin_privileges.missing(stack, admin_privileges.ask(stack, asked)):
        raise Refused(
            f"{admin.name} is not a superuser and lacks privileges that this stack needs. Nothing was changed."
            f" Fix (run in database {stack.server.database} as a superuser):\n{indented(lacking)}"
        )
