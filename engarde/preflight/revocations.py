"""Which access a run takes from which roles: a warning, or a refusal if the stack file must confirm it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engarde.declaration import stack_file
from engarde.declaration.declared import NOTHING
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PROOF, PUBLIC, spelled
from engarde.declaration.parameters import milliseconds
from engarde.declaration.privileges import CONNECT, CREATE, OTHER_DATABASES, TEMPORARY, USAGE, On, Privilege
from engarde.declaration.resource_names import login_name, rotation_key
from engarde.declaration.stack_names import PROJECT
from engarde.declaration.validation import join
from engarde.server.catalog import Existing, Setting, owners_of, roles_of
from engarde.server.session import Session
from engarde.util.quoting import quoted
from engarde.util.terminal import first_few, indented, visible


@dataclass(frozen=True, slots=True)
class Outsider:
    name: str
    database: str
    here: bool
    """it is the database that was asked"""
    everybody: bool
    """PUBLIC may connect"""
    by: list[str]
    """the roles (itself, or roles that it is a member of) whose own CONNECT lets it connect"""
    sessions: int
    owned: int
    """objects there"""
    granted: int
    """objects there on which it has a privilege"""
    through: list[str]
    """the roles that it is a member of and that have something there, also PostgreSQL's own"""
    on_database: list[str]
    """its own privileges"""
    uses: list[str]
    """the existing schemas on which it has USAGE itself"""
    creates: list[str]

    @property
    def involved(self) -> bool:
        return bool(self.sessions or self.owned or self.granted or self.through)

    @property
    def what(self) -> str:
        counted = ((self.sessions, "session"), (self.owned, "object"), (self.granted, "grant"))
        found = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counted if count]
        return ", ".join([*found, *(f"a member of {role}" for role in self.through)])

    @property
    def loses(self) -> bool:
        """Whether it can connect only through PUBLIC."""
        return self.everybody and not self.by

    @property
    def kept(self) -> dict[str, object] | None:
        """Everything that it has today, as an entry of `engarde:outsideRoles`: what the entry leaves out is revoked."""
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
    """Each login role outside the stack, with this database and with others of the server."""
    return asked.query(
        "outsiders",
        Outsider,
        databases=list(others),
        schemas=[schema.name for schema in stack.existing_schemas],
        ours=[stack.server.user, *stack.roles],
    )


SHOWN = 5
"""How many objects of a kind are named."""

TIMEOUTS = {
    "statement_timeout": "statementTimeout",
    "idle_in_transaction_session_timeout": "idleInTransactionSessionTimeout",
}
"""Settings that the provider reads from a role, only as a number of milliseconds -> their keys in the stack file."""

_KINDS = {On.DATABASE: "database", On.SCHEMA: "schema", On.TABLES: "table", On.TABLE: "table", On.SEQUENCES: "sequence"}


@dataclass(frozen=True, slots=True)
class Given:
    """What earlier runs granted, by the state."""

    roles: frozenset[str] = frozenset()
    """that they created or took over"""
    rotations: Mapping[str, int] | None = None
    """of passwords, by login; None before the first run"""
    due: tuple[Privilege, ...] = ()
    """privileges that are not granted yet, or granted with others"""
    outside: frozenset[str] = frozenset()
    """the outside roles of the whole stack"""


@dataclass(frozen=True, slots=True)
class _Held:
    grantee: str
    kind: str
    schema: str | None
    name: str
    rights: list[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What is there before a run."""

    existing: tuple[Existing, ...]
    """of the roles and schemas that the stack creates or names"""
    outsiders: tuple[Outsider, ...]
    """those that have something in a database from which PUBLIC is shut out"""
    in_words: tuple[Setting, ...]
    """timeouts of the stack's roles that the provider cannot read"""


def look(stack: DatabaseStack, asked: Session, existing: Sequence[Existing]) -> Context:
    """Reads the catalogs; `existing` are the existing ones of the roles and schemas that the stack creates or names."""
    closed = OTHER_DATABASES if stack.server.close_other_databases else ()
    found = (
        outsider
        for outsider in outsiders(stack, asked, closed)
        if outsider.involved and not outsider.name.startswith(PROOF)
    )
    roles = {login.role for login in _logins(stack)}
    in_words = (
        setting
        for setting in asked.query("settings", Setting)
        if setting.name in TIMEOUTS and not setting.value.isdecimal()
        if setting.role in roles and setting.database is None
    )
    return Context(tuple(existing), tuple(found), tuple(in_words))


def warnings(
    stack: DatabaseStack, asked: Session, given: Given, context: Context, renamed: Mapping[str, str] = NOTHING
) -> Iterator[str]:
    """What access, passwords and connections this run takes, a sentence each; `renamed` as in `conflicts.taken`."""
    if given.due:
        yield from map(visible, _taken(asked, given.due))
    for outsider in context.outsiders:
        yield from map(visible, _of_outsider(stack, outsider, given))
    yield from map(visible, _new_owners(stack, context, renamed))
    there = roles_of(context.existing)
    counted = dict(asked.tuples("sessions_of", roles=sorted(login.role for login in _logins(stack))))
    for login in _logins(stack):
        if login.role in there and (why := _new_password(login, given)):
            yield (
                f"the password of {login.role} is replaced, because {why}: after that, nobody can log in with the"
                " current one"
            )
        if counted.get(login.role, 0) > login.connection_limit:
            yield (
                f"{login.role} has {counted[login.role]} sessions now, but connectionLimit of {login_name(login)} is"
                f" {login.connection_limit}: new sessions are refused until enough old ones have ended"
            )
    if later := [in_word for in_word in context.in_words if not _imported(in_word, stack, given)]:
        healed = indented(map(_in_milliseconds, later))
        yield (
            "the provider only reads timeouts in milliseconds, and a `refresh` will fail. Fix (run as the admin):"
            f"\n{healed}"
        )


def faults(stack: DatabaseStack, given: Given, context: Context) -> Iterator[str]:
    """What must be changed in the stack file or on the server first, a paragraph each."""
    said = {*stack.shut_out, *given.outside}
    if found := [outsider for outsider in context.outsiders if outsider.loses and outsider.name not in said]:
        yield _shut_out(stack, found)
    if there := [in_word for in_word in context.in_words if _imported(in_word, stack, given)]:
        healed = indented(map(_in_milliseconds, there))
        yield (
            "the provider cannot take over a role whose timeout has a unit. Fix (run as the admin, to set the same"
            f" times in milliseconds):\n{healed}\nA timeout that the stack file does not state becomes the default. To"
            " keep these timeouts, add:\n" + indented(_key(stack, setting) for setting in there)
        )


def _shut_out(stack: DatabaseStack, found: Sequence[Outsider]) -> str:
    told = "\n".join(
        visible(f"  {outsider.name} from database {outsider.database}: {outsider.what}") for outsider in found
    )
    names = sorted({outsider.name for outsider in found})
    never = stack_file.lines("shutOut", sorted({*names, *stack.shut_out}))
    here = {outsider.name: outsider.kept for outsider in found if outsider.here} if stack.label is None else {}
    keeps = f"either with everything that it keeps:\n{stack_file.lines('outsideRoles', here)}\nor " if here else ""
    return (
        "PUBLIC loses CONNECT. That shuts out these login roles, which the stack file does not name:\n"
        f"{told}\nAdd each of them to the stack file, {keeps}as shut out:\n{never}"
    )


def _of_outsider(stack: DatabaseStack, outsider: Outsider, given: Given) -> Iterator[str]:
    name, database = outsider.name, outsider.database
    ours = sorted({*outsider.by} & {*stack.roles})
    if ours and name not in given.outside:
        said = "engarde:shutOut names" if name in stack.shut_out else "the stack file does not name"
        yield (
            f"{name}, which {said}, can connect to database {database} as a member of {', '.join(ours)}, and still can"
            " after this run"
        )
    elif outsider.loses and name in stack.shut_out:
        yield f"{name} is shut out of database {database}, as the stack file says ({outsider.what})"
    elif outsider.loses and name in given.outside and (stack.label is not None or not outsider.here):
        yield (
            f"{name} is shut out of database {database} ({outsider.what}): engarde:outsideRoles only apply to the"
            " shared database"
        )


def _new_owners(stack: DatabaseStack, context: Context, renamed: Mapping[str, str]) -> Iterator[str]:
    owners = owners_of(context.existing)
    for service in stack.services:
        owner = owners.get(service.schema_)
        if owner not in (None, stack.server.user, service.role, renamed.get(service.role)):
            yield f"schema {service.schema_} gets owner {service.role}: {owner} loses the owner's privileges on it"


def _taken(asked: Session, due: Sequence[Privilege]) -> Iterator[str]:
    """Privileges that a grant takes from its grantee: the provider revokes what the grant does not list."""
    held = asked.query(
        "rights_of",
        _Held,
        grantees=sorted({row.grantee for row in due}),
        databases=sorted({row.database for row in due if row.on is On.DATABASE}),
        schemas=sorted({row.schema for row in due if row.schema}),
    )
    lost: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in due:
        for has in held:
            if _is_on(row, has) and (taken := [right for right in has.rights if right not in row.rights]):
                who = "PUBLIC" if has.grantee == PUBLIC else has.grantee
                name = has.name if has.kind in ("database", "schema") else spelled(has.schema or "", has.name)
                lost[who, ", ".join(taken), has.kind].append(name)
    for (who, rights, kind), names in sorted(lost.items()):
        yield f"{who} loses {rights} on {kind} {first_few(names, SHOWN)}"


def _is_on(row: Privilege, held: _Held) -> bool:
    if row.grantee != held.grantee or _KINDS.get(row.on) != held.kind:
        return False
    if row.on is On.DATABASE:
        return row.database == held.name
    return row.schema == held.schema and row.table in (None, held.name)


def _logins(stack: DatabaseStack) -> list[Service | Analytics]:
    """The logins whose roles are managed with this database."""
    return [login for login in stack.logins if login.role not in stack.guests]


def _new_password(login: Service | Analytics, given: Given) -> str:
    if login.role not in given.roles:
        return "the role is taken over" if login.adopt else ""
    before = (given.rotations or {}).get(login_name(login))
    return "its rotation is higher" if before is not None and login.rotation > before else ""


def _imported(setting: Setting, stack: DatabaseStack, given: Given) -> bool:
    adopted = {login.role for login in stack.logins if login.adopt}
    return setting.role in adopted and setting.role not in given.roles


def _key(stack: DatabaseStack, setting: Setting) -> str:
    section, keys = rotation_key(next(login for login in _logins(stack) if login.role == setting.role))
    time = milliseconds(setting.value)
    return f"{join(f'{PROJECT}:{section}', *keys[:-1], TIMEOUTS[setting.name])}: {0 if time != time else round(time)}"


def _in_milliseconds(setting: Setting) -> str:
    time = milliseconds(setting.value)
    change = f"SET {setting.name} = {round(time)}" if time == time else f"RESET {setting.name}"
    return f"ALTER ROLE {quoted(setting.role or '')} {change};"
