"""Logs in as every role of the stack, and tries what must work and what must be refused."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from engarde.checks.attributes import TIMEOUTS
from engarde.checks.logins import changed
from engarde.checks.naming import about, up
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.errors import LoginRefused, Unreachable, Why
from engarde.output.findings import Finding, Notice, Remedy
from engarde.pulumi_cli.logins import login_to
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog
from engarde.server.credentials import Access
from engarde.server.session import LOCKED, Session, session
from engarde.util.quoting import quoted, statement, word
from engarde.verify import probes
from engarde.verify.probes import ALLOWED, DENIED, NOT_YET, Probe, Right

AT_ONCE = 6
"""Logins at a time: a login mostly waits, and a production server has few free connections."""

IN_FUNCTION = ", in function "
"""What `sql/probe.sql` adds to a refusal from inside a function."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of one login, or of the admin acting as other roles."""

    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    probes: int = 0
    by_catalog: int = 0
    """privileges that the session asked the server about"""
    logged_in: bool = False
    on_trust: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """The role and settings that a session starts with."""

    user: str
    search_path: str
    statement_timeout: int
    """milliseconds"""
    idle_in_transaction_session_timeout: int
    """milliseconds"""


def mark() -> str:
    """The name of everything that this run makes and undoes."""
    return f"engarde_probe_{secrets.token_hex(4)}"


def all_of(stack: DatabaseStack, outputs: Outputs, catalog: Catalog, progress: Callable[[int], None]) -> list[Tried]:
    """Tries every role that exists and whose password is known, a few at a time; `progress` gets the number left.

    :raises Unreachable: a session was lost.
    """
    known = _known(stack, outputs, catalog)
    progress(len(known))
    tried = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for of_login in pool.map(lambda login: _login(login, stack, outputs.passwords[login.role], catalog), known):
            tried.append(of_login)
            progress(len(known) - len(tried))
    return tried


def _known(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> list[Service | Analytics]:
    return [login for login in stack.logins if login.role in catalog.roles and login.role in outputs.passwords]


def _login(login: Service | Analytics, stack: DatabaseStack, password: str, catalog: Catalog) -> Tried:
    access = Access(stack.server, stack.server.database, login.role, password)
    try:
        with session(access, read_only=False, as_given=True) as entered:
            judged = _judged(login.role, stack, entered, probes.of(login, stack, catalog, mark()))
            (who,) = entered.query("whoami", Who)
            found = (*_who(login, who), *judged.findings)
            return replace(judged, findings=found, logged_in=True, on_trust=not entered.asked_for_password)
    except LoginRefused as refusal:
        said = refusal.said if "FATAL" in refusal.reason else refusal.reason
        if refusal.why is Why.PASSWORD:
            return Tried((changed(stack, login, f"login of {login.role}", said),))
        # A server without a free connection is no drift.
        if refusal.why.full:
            return _full(login, said)
        expected = "can log in with the state's password"
        return Tried((Finding("login", login.role, expected, said, up(stack), about(login)),))
    except Unreachable as lost:
        # If the server is gone, the admin's session that follows says so.
        expected = "a session that lasts for all probes"
        heal = Remedy("command", f"bin/engarde doctor --stack {stack.name}")
        return Tried((Finding("login", f"session of {login.role}", expected, str(lost), heal, about(login)),))


def _full(login: Service | Analytics, said: str) -> Tried:
    full = f"nothing was tried as {login.role}, because no connection is free now: {said}"
    return Tried(notices=(Notice(full, about(login)),))


def shut_out(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> Iterator[Tried]:
    """Tries each role of another database of this server: it must be refused, because it lacks CONNECT."""
    for login in stack.neighbours:
        password = outputs.passwords.get(login.role)
        if password is None or login.role not in catalog.roles:
            continue
        try:
            with session(login_to(stack, login, password)):
                said, why = "can log in", None
        except LoginRefused as refusal:
            said, why = refusal.said, refusal.why
        if why is Why.SHUT_OUT:
            yield Tried(probes=1)
        elif why and why.full:
            yield _full(login, said)
        # A wrong password is a finding of the role's own database, with its remedy.
        elif why is not Why.PASSWORD:
            database = stack.server.database
            subject = f"{login.role} in database {database}, where it has nothing"
            revoke = Remedy("sql", statement("REVOKE ALL ON DATABASE {} FROM {}", database, login.role))
            found = Finding("login", subject, f"refused with {DENIED}", said, revoke, about(login))
            yield Tried((found,), probes=1)


def _who(login: Service | Analytics, who: Who) -> Iterator[Finding]:
    def wrong(what: str, expected: object, actual: object, change: str) -> Finding:
        heal = Remedy("sql", f"ALTER ROLE {quoted(login.role)} {change};")
        return Finding("session", f"{what} of {login.role}", str(expected), str(actual), heal, about(login))

    if who.user != login.role:
        yield wrong("role", login.role, who.user, "RESET role")
    if isinstance(login, Service) and split_path(who.search_path) != (login.schema_, PUBLIC):
        path = f"{login.schema_}, {PUBLIC}"
        yield wrong("search_path", path, who.search_path, f"SET search_path TO {quoted(login.schema_)}, {PUBLIC}")
    for name in TIMEOUTS:
        expected, actual = getattr(login, name), getattr(who, name)
        if expected != actual:
            yield wrong(name, expected, actual, f"SET {name} = {expected}")


def new_things(stack: DatabaseStack, catalog: Catalog, admin: Session) -> Tried:
    """Tries, as the admin in their place, what analytics and readers can do with a table that was just made."""
    may_act_as = frozenset(admin.values("may_act_as"))
    declared = {(service.schema_, service.role) for service in stack.services}
    declared |= {(existing.name, role) for existing in stack.existing_schemas for role in existing.creators}
    names = {"schemas": [schema for schema, _ in declared], "roles": [role for _, role in declared]}
    able = [creator for creator in admin.tuples("may_create", **names) if creator in declared]
    return _judged(stack.server.user, stack, admin, probes.of_new_things(stack, catalog, mark(), able, may_act_as))


def _judged(role: str, stack: DatabaseStack, entered: Session, planned: Sequence[Probe | Right]) -> Tried:
    """One finding for each schema: what was wrongly allowed, or refused, or refused for another reason."""
    wrong: dict[tuple[str, str | None, str], list[str]] = defaultdict(list)
    notices = []
    tried = [step for step in planned if isinstance(step, Probe)]
    for probe, answer in zip(tried, entered.probe([probe.statements for probe in tried]), strict=True):
        whole = answer.place == len(probe.statements)
        # A refusal by an event trigger's function says nothing about the privilege.
        if answer.state == probe.expected and whole and IN_FUNCTION not in answer.said:
            continue
        stopped_at, who = probe.statements[answer.place - 1], probe.role or role
        if answer.state == LOCKED:
            locked = f"not tried as {who}, because another session holds a lock: {stopped_at}"
            notices.append(Notice(locked, frozenset({who, probe.schema or ""})))
        else:
            said = "allowed" if answer.state == ALLOWED else f"{answer.state} {answer.said}"
            wrong[who, probe.schema, probe.expected].append(f"{stopped_at}: {said}")
    rights = [step for step in planned if isinstance(step, Right)]
    for right, held in zip(rights, _held(entered, rights) if rights else (), strict=True):
        if held != (right.expected == ALLOWED):
            wrong[role, right.schema, right.expected].append(f"{right}: {'allowed' if held else 'missing'}, by catalog")
    found = (_behaviour(who, stack, schema, expected, said) for (who, schema, expected), said in wrong.items())
    return Tried(tuple(found), tuple(notices), len(tried), len(rights))


def _held(entered: Session, asked: Sequence[Right]) -> list[bool]:
    return entered.values(
        "rights_held",
        schemas=[right.schema for right in asked],
        tables=[right.table for right in asked],
        columns=[right.column for right in asked],
        rights=[right.right for right in asked],
    )


def _behaviour(role: str, stack: DatabaseStack, schema: str | None, expected: str, said: list[str]) -> Finding:
    kind, name = ("schema", schema) if schema else ("database", stack.server.database)
    what = word(f"{kind} {quoted(name)}")
    place = (f" --database {word(stack.label)}" if stack.label else "") + f" --stack {stack.name}"
    return Finding(
        "behaviour",
        f"{role} in {kind} {name}",
        "allowed" if expected in (ALLOWED, NOT_YET) else f"refused with {DENIED}",
        "\n".join(said),
        Remedy("command", f"bin/engarde explain {word(role)} {what}{place}"),
        frozenset({role, schema} if schema else {role}),
    )


def limits(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> Tried:
    """Opens connections as one role after another, until the server refuses one: it must do so at the limit."""
    logins = (login for login in _known(stack, outputs, catalog) if login.role not in stack.guests)
    return Tried(tuple(found for login in logins for found in _limit(login, stack, outputs.passwords[login.role])))


def _limit(login: Service | Analytics, stack: DatabaseStack, password: str) -> Iterator[Finding]:
    access, limit = Access(stack.server, stack.server.database, login.role, password), login.connection_limit
    with ExitStack() as opened:
        for _ in range(limit + 1):
            try:
                opened.enter_context(session(access))
            except LoginRefused as refusal:
                if refusal.why is Why.ROLE_LIMIT:
                    return
                raise
    subject, expected = f"sessions of {login.role}", f"at most {limit} at a time"
    heal = Remedy("sql", f"ALTER ROLE {quoted(login.role)} CONNECTION LIMIT {limit};")
    yield Finding("connection limit", subject, expected, f"{limit + 1}", heal, about(login))
