"""Everything that `verify` looks at, in one report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from engarde.checks import (
    attributes,
    borrowed_rights,
    creators,
    defaults,
    event_triggers,
    grants,
    indirect_access,
    inheritance,
    memberships,
    owners,
    passwords,
    row_security,
    shadows,
)
from engarde.checks.foreseen import foreseen
from engarde.checks.remedies import ordered
from engarde.declaration.accepted import Taken, judged
from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.names import PROOF
from engarde.declaration.privileges import readings
from engarde.output.findings import Finding
from engarde.pulumi_cli.state import Outputs, outputs
from engarde.server import catalog as catalogs
from engarde.server.catalog import Catalog
from engarde.server.catalog.rows import StoredPassword
from engarde.server.credentials import Access, login_of_admin
from engarde.server.functions import CITUS_UNKNOWN, has_citus
from engarde.server.functions import event_triggers as listed
from engarde.server.session import Session, session
from engarde.verify import logins, matrix
from engarde.verify.cross_database_logins import shut_out
from engarde.verify.limits import limits

PLACING = (owners, inheritance)
COMPARED = (memberships, attributes, grants, defaults, creators, indirect_access)
"""Each compares one part of the catalogs with the declaration, as they are once things are where they belong."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How far to go."""

    service: str | None = None
    """only what is about it"""
    logins: bool = True
    """log in and try"""
    limits: bool = False
    """use up every role's connections, to see where the server stops"""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found."""

    stack: str
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    matrix: tuple[matrix.Row, ...]
    logins: int
    """how many roles were logged in as"""
    probes: int
    """how many statements or rows of statements they tried"""
    by_catalog: int
    """of how many more rights the catalogs were asked in their sessions"""
    accepted: tuple[Taken, ...] = ()
    """found, and no findings, since the stack file accepts them"""


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in one database."""

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    matrix: tuple[matrix.Row, ...]
    logins: int
    probes: int
    by_catalog: int


def verify(stack: Stack, asked: Asked, progress: Callable[[int], None]) -> Report:
    """Compares the catalogs of every database with the declaration, then logs in as every role and tries.

    `progress` is told how many logins there are left in a database, first of all of them.

    :raises Unreachable: no engine, no passphrase, no server, or a session was lost.
    """
    of_stack = databases(stack)
    with ThreadPoolExecutor(1) as pool:
        # The engine answers each question in a process of its own.
        waiting = pool.submit(outputs, stack.name)
        admins = [login_of_admin(database) for database in of_stack]
        known = waiting.result()
    found = [
        _of_database(database, stack, known, login, asked, progress)
        for database, login in zip(of_stack, admins, strict=True)
    ]
    names = [display_name(database) if len(of_stack) > 1 else "" for database in of_stack]
    named = list(zip(names, found, strict=True))
    all_found = (replace(each, database=name) for name, its in named for each in its.findings)
    left = judged(stack.accepted, all_found, _today())
    # What was not looked for cannot be found.
    idle = left.idle if asked.logins and asked.service is None else ()
    return Report(
        stack.name,
        tuple(ordered(left.findings)),
        (
            *(f"{name}: {each}" if name else each for name, its in named for each in its.warnings),
            *(f"engarde:accepted: nothing is found any more of {each.check}: {each.subject}" for each in idle),
        ),
        tuple(replace(row, database=name) for name, its in named for row in its.matrix),
        sum(each.logins for each in found),
        sum(each.probes for each in found),
        sum(each.by_catalog for each in found),
        left.taken,
    )


def _of_database(
    stack: DatabaseStack, whole: Stack, known: Outputs, login: Access, asked: Asked, progress: Callable[[int], None]
) -> _Found:
    with session(login) as admin:
        catalog = catalogs.read(stack, admin)
        found = [*_compared(stack, whole, catalog, asked), *_of_passwords(stack, known, catalog, admin)]
        triggers = listed(admin, stack.server.user)
        several = has_citus(admin)
        borrowed = borrowed_rights.look(stack, catalog, admin)
        found += [*event_triggers.findings(stack, catalog, triggers), *borrowed.findings]
        found += borrowed_rights.turned(stack, catalog, known)
        found += row_security.findings(stack, catalog, admin)
        # What goes to its service's schema shadows nothing any more.
        placed = [each.remedy.placed for each in _to_make(whole, asked, found)]
        moved = {each.identity for each in placed if each and each.schema}
        found += (
            each for each in shadows.findings(stack, catalog, admin) if each.subject.partition(" ")[2] not in moved
        )
    # What is tried makes and changes things, and would run what others have put there.
    foreign = [each.name for each in triggers if each.changers]
    tried = _tried(stack, known, catalog, login, progress) if asked.logins and not foreign else []
    tried += [limits(stack, known, catalog)] if asked.limits else []
    # What a session starts with and the catalogs explain is found already, with what has to be undone; what is accepted
    # and undoes nothing explains nothing.
    explained = {each.subject for each in _to_make(whole, asked, found)}
    unexplained = [finding for each in tried for finding in each.findings if finding.subject not in explained]
    found += event_triggers.blamed(stack, catalog, triggers, unexplained)
    # What is under another name is as it was, once it has its own again.
    renamed = set(owners.renamed_schemas(stack, catalog).values())
    found = [each for each in found if each.check == "schema" or not each.concerns & renamed]
    # What a backup needs while it is proven is taken away by the backup.
    proving = sorted(name for name, role in catalog.roles.items() if name.startswith(PROOF) and role.passing)
    found = [each for each in found if not each.concerns & {*proving}]
    kept = [each for each in found if _concerns(whole, asked.service, each)]
    on_trust = sum(each.on_trust for each in tried)
    trusted = (
        f"the server let {on_trust} roles in on trust, without asking for a password: a login proves nothing there"
    )
    return _Found(
        tuple(kept),
        (
            *([CITUS_UNKNOWN] if several else []),
            *([trusted] if on_trust else []),
            *(f"{name} has a service's rights for an hour at most: a backup is proven with it" for name in proving),
            *([f"nothing was tried by logging in, which would fire {', '.join(foreign)}"] if foreign else []),
            *memberships.warnings(stack, catalog),
            *grants.warnings(stack, catalog),
            *owners.warnings(stack, catalog),
            *borrowed.warnings,
            *_missing(stack, catalog),
            *(warning for each in tried for warning in each.warnings),
        ),
        matrix.matrix(stack, catalog, found),
        sum(each.logged_in for each in tried),
        sum(each.probes for each in tried),
        sum(each.by_catalog for each in tried),
    )


def _compared(stack: DatabaseStack, whole: Stack, catalog: Catalog, asked: Asked) -> list[Finding]:
    placing = [each for module in PLACING for each in sorted(module.findings(stack, catalog))]
    then = foreseen(catalog, _to_make(whole, asked, placing))
    return [*placing, *(each for module in COMPARED for each in sorted(module.findings(stack, then)))]


def _to_make(whole: Stack, asked: Asked, found: Iterable[Finding]) -> list[Finding]:
    """Those that this run has remedies for: what is accepted, or was not asked for, stays as it is."""
    return [each for each in judged(whole.accepted, found, _today()).findings if _concerns(whole, asked.service, each)]


def _today() -> date:
    return datetime.now(UTC).date()


def _of_passwords(stack: DatabaseStack, known: Outputs, catalog: Catalog, admin: Session) -> Iterator[Finding]:
    yield from passwords.of_exports(stack, known)
    if catalog.roles[stack.server.user].superuser:
        roles = [login.role for login in stack.logins]
        yield from passwords.of_verifiers(stack, known, admin.rows("verifiers", StoredPassword, roles=roles))


def _tried(
    stack: DatabaseStack, known: Outputs, catalog: Catalog, login: Access, progress: Callable[[int], None]
) -> list[logins.Tried]:
    tried = [*logins.all_of(stack, known, catalog, progress), *shut_out(stack, known, catalog)]
    # A session of its own, which also tells whether a login that failed was refused or nobody is there any more.
    with session(login, read_only=False) as admin:
        return [*tried, logins.new_things(stack, catalog, admin)]


def _missing(stack: DatabaseStack, catalog: Catalog) -> Iterator[str]:
    there = {(each.schema, each.name) for each in catalog.relations}
    names = {service.role: service.name for service in stack.services}
    for role, read in readings(stack):
        if (read.schema_, read.table) not in there:
            who = names.get(role, role)
            yield f"{who} is declared to read {read.schema_}.{read.table}, which does not exist yet"
    for service in stack.services:
        for each in service.executes:
            if each not in catalog.functions:
                yield f"{service.name} is declared to call {each}, which does not exist yet, or not with these types"


def _concerns(stack: Stack, service: str | None, finding: Finding) -> bool:
    of_it = {name for each in stack.services if each.name == service for name in (each.role, each.schema_)}
    return service is None or not finding.concerns or bool(of_it & finding.concerns)
