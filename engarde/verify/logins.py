"""Logging in as every role of the stack, and trying what has to work and what has to be refused."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from engarde.checks.logins import changed
from engarde.checks.naming import about
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.errors import LoginRefused, Unreachable, Why
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog
from engarde.server.credentials import Access
from engarde.server.session import LOCKED, Answer, Session, session
from engarde.util.quoting import quoted, word
from engarde.verify import probes
from engarde.verify.probes import ALLOWED, DENIED, NOT_YET, Creator, Probe, Right

AT_ONCE = 6
"""Logins at a time: most of a login is waiting, and a live server has no slots to spare."""

IN_FUNCTION = ", in function "
"""What `sql/probe.sql` adds to a refusal that comes from inside of one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one login, or of the admin's acting as others."""

    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    probes: int = 0
    by_catalog: int = 0
    """rights that the catalogs were asked for in the session"""
    logged_in: bool = False
    on_trust: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a session came in as."""

    user: str
    search_path: str
    statement_timeout: int
    """milliseconds"""
    idle_in_transaction_session_timeout: int
    """milliseconds"""


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


@dataclass(frozen=True, slots=True)
class _Held:
    held: bool


def mark() -> str:
    """The name of whatever this run makes and takes back."""
    return f"engarde_probe_{secrets.token_hex(4)}"


def all_of(stack: DatabaseStack, outputs: Outputs, catalog: Catalog, progress: Callable[[int], None]) -> list[Tried]:
    """Every role that is there and whose password is known, a few at a time; `progress` is told how many are left.

    :raises Unreachable: a session was lost.
    """
    known = [login for login in stack.logins if login.role in catalog.roles and login.role in outputs.passwords]

    progress(len(known))
    tried = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in pool.map(lambda login: _login(login, stack, outputs.passwords[login.role], catalog), known):
            tried.append(one)
            progress(len(known) - len(tried))
    return tried


def _login(login: Service | Analytics, stack: DatabaseStack, password: str, catalog: Catalog) -> Tried:
    access = Access(stack.server, stack.server.database, login.role, password)
    try:
        with session(access, read_only=False, as_given=True) as entered:
            planned = probes.of(login, stack, catalog, mark())
            tried = [step for step in planned if isinstance(step, Probe)]
            answers = entered.probe([probe.statements for probe in tried])
            (who,) = entered.query("whoami", Who)
            by_catalog = _by_catalog(entered, [step for step in planned if isinstance(step, Right)])
            judged = _judged(login.role, stack, tried, answers, by_catalog)
            return Tried(
                (*_who(login, who), *judged.findings),
                judged.warnings,
                len(tried),
                len(by_catalog),
                logged_in=True,
                on_trust=not entered.asked_for_password,
            )
    except LoginRefused as refusal:
        return _refused(login, stack, refusal)
    except Unreachable as lost:
        # Where nobody is there any more, the admin's own session that follows says so.
        expected = "a session in which it can try what it may"
        heal = Remedy("command", f"bin/engarde doctor --stack {stack.name}")
        return Tried((Finding("login", f"session of {login.role}", expected, str(lost), heal, about(login)),))


def _refused(login: Service | Analytics, stack: DatabaseStack, refusal: LoginRefused) -> Tried:
    said = refusal.said if "FATAL" in refusal.reason else refusal.reason
    if refusal.why is Why.PASSWORD:
        return Tried((changed(stack, login, f"login of {login.role}", said),))
    # A server that has no connection left is no drift.
    if refusal.why.full:
        return Tried(warnings=(f"nothing was tried as {login.role}, which finds no free connection now: {said}",))
    heal = Remedy("command", f"bin/pulumi up --refresh --stack {stack.name}")
    return Tried((Finding("login", login.role, "is let in with the state's password", said, heal, about(login)),))


def _who(login: Service | Analytics, who: Who) -> Iterator[Finding]:
    def wrong(what: str, expected: object, actual: object, change: str) -> Finding:
        heal = Remedy("sql", f"ALTER ROLE {quoted(login.role)} {change};")
        return Finding("session", f"{what} of {login.role}", str(expected), str(actual), heal, about(login))

    if who.user != login.role:
        yield wrong("role", login.role, who.user, "RESET role")
    if isinstance(login, Service) and split_path(who.search_path) != (login.schema_, PUBLIC):
        path = f"{login.schema_}, {PUBLIC}"
        yield wrong("search_path", path, who.search_path, f"SET search_path TO {quoted(login.schema_)}, {PUBLIC}")
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        expected, actual = getattr(login, name), getattr(who, name)
        if expected != actual:
            yield wrong(name, expected, actual, f"SET {name} = {expected}")


def new_things(stack: DatabaseStack, catalog: Catalog, admin: Session) -> Tried:
    """What analytics and readers meet in a table that was made this very moment, tried by the admin in their place."""
    may_act_as = frozenset(role.name for role in admin.query("may_act_as", _Name))
    declared = {(service.schema_, service.role) for service in stack.services}
    declared |= {(existing.name, role) for existing in stack.existing_schemas for role in existing.creators}
    names = {"schemas": [schema for schema, _ in declared], "roles": [role for _, role in declared]}
    able = [
        creator for creator in admin.query("may_create", Creator, **names) if (creator.schema, creator.role) in declared
    ]
    tried = probes.of_new_things(stack, catalog, mark(), able, may_act_as)
    return _judged(stack.server.user, stack, tried, admin.probe([probe.statements for probe in tried]), [])


def _by_catalog(entered: Session, asked: list[Right]) -> list[tuple[Right, bool]]:
    held = entered.query(
        "rights_held",
        _Held,
        schemas=[right.schema for right in asked],
        tables=[right.table for right in asked],
        columns=[right.column for right in asked],
        rights=[right.right for right in asked],
    )
    return [(right, answer.held) for right, answer in zip(asked, held, strict=True)]


def _judged(
    role: str, stack: DatabaseStack, tried: list[Probe], answers: list[Answer], by_catalog: list[tuple[Right, bool]]
) -> Tried:
    """One finding per schema: what was allowed, refused, or refused for another reason than a missing privilege."""
    wrong: dict[tuple[str, str | None, str], list[str]] = defaultdict(list)
    warnings = []
    for probe, answer in zip(tried, answers, strict=True):
        whole = answer.place == len(probe.statements)
        # What a function of an event trigger refuses says nothing of the statement.
        if answer.state == probe.expected and whole and IN_FUNCTION not in answer.said:
            continue
        statement, who = probe.statements[answer.place - 1], probe.role or role
        if answer.state == LOCKED:
            warnings.append(f"not tried as {who}, since another session holds a lock: {statement}")
        elif answer.state == ALLOWED:
            wrong[who, probe.schema, probe.expected].append(f"{statement}: allowed")
        else:
            wrong[who, probe.schema, probe.expected].append(f"{statement}: {answer.state} {answer.said}")
    for right, held in by_catalog:
        if held != (right.expected == ALLOWED):
            wrong[role, right.schema, right.expected].append(f"{right}: {'allowed' if held else 'missing'}, by catalog")
    found = (_behaviour(who, stack, schema, expected, said) for (who, schema, expected), said in wrong.items())
    return Tried(tuple(found), tuple(warnings), len(tried))


def _place(stack: DatabaseStack) -> str:
    """Of which stack, and of which of its databases."""
    return (f" --database {word(stack.label)}" if stack.label else "") + f" --stack {stack.name}"


def _behaviour(role: str, stack: DatabaseStack, schema: str | None, expected: str, said: list[str]) -> Finding:
    where = f"schema {schema}" if schema else f"database {stack.server.database}"
    what = f"schema {quoted(schema)}" if schema else f"database {quoted(stack.server.database)}"
    return Finding(
        "behaviour",
        f"{role} in {where}",
        "allowed" if expected in (ALLOWED, NOT_YET) else f"refused with {DENIED}",
        "\n".join(said),
        Remedy("command", f"bin/engarde explain {word(role)} {word(what)}{_place(stack)}"),
        frozenset({role, schema} if schema else {role}),
    )


def limits(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> Tried:
    """One role after another opens connections until the server refuses one, at its limit and not after it."""
    found: list[Finding] = []
    for login in stack.logins:
        if login.role not in stack.guests and login.role in catalog.roles and login.role in outputs.passwords:
            found += _limit(login, stack, outputs.passwords[login.role])
    return Tried(tuple(found))


def _limit(login: Service | Analytics, stack: DatabaseStack, password: str) -> list[Finding]:
    access = Access(stack.server, stack.server.database, login.role, password)
    with ExitStack() as opened:
        for _ in range(login.connection_limit + 1):
            try:
                opened.enter_context(session(access))
            except LoginRefused as refusal:
                if refusal.why is Why.ROLE_LIMIT:
                    return []
                raise
    return [
        Finding(
            "connection limit",
            f"sessions of {login.role}",
            f"no more than {login.connection_limit} at a time",
            f"{login.connection_limit + 1}",
            Remedy("sql", f"ALTER ROLE {quoted(login.role)} CONNECTION LIMIT {login.connection_limit};"),
            about(login),
        )
    ]
