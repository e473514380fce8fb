"""Runs everything that `verify` checks, and makes one report."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from engarde.checks import owners, registry
from engarde.checks.judging import judged
from engarde.checks.observed import Observed, Recorded
from engarde.checks.registry import Stage
from engarde.checks.remedies import ordered
from engarde.checks.session_code import blamed
from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.names import PROOF
from engarde.declaration.privileges import readings
from engarde.output.findings import Finding, Notice
from engarde.pulumi_cli.logins import login_of_admin
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog
from engarde.server.credentials import Access
from engarde.server.functions import CITUS_UNKNOWN, has_citus
from engarde.server.session import session
from engarde.verify import logins
from engarde.verify.report import Report, Row, matrix


@dataclass(frozen=True, slots=True)
class Asked:
    """How far to go."""

    service: str | None = None
    """only check what is about it"""
    logins: bool = True
    """log in as every role and try"""
    limits: bool = False
    """use up every role's connections, to see where the server refuses one"""


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in one database."""

    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]
    matrix: tuple[Row, ...]
    tried: list[logins.Tried]


def verify(stack: Stack, asked: Asked, progress: Callable[[int], None]) -> Report:
    """Compares the catalogs of every database with the declaration, then logs in as every role and tries.

    `progress` gets the number of logins that are left in a database, first all of them.

    :raises Unreachable: no Pulumi, no passphrase, no server, or a session was lost.
    """
    of_stack, recorded = databases(stack), Recorded(stack.name)
    with ThreadPoolExecutor(1) as pool:
        # Pulumi needs a process for each question.
        waiting = pool.submit(lambda: recorded.outputs)
        admins = [login_of_admin(database) for database in of_stack]
        waiting.result()
    found = [
        _of_database(database, recorded, login, asked, progress)
        for database, login in zip(of_stack, admins, strict=True)
    ]
    names = [display_name(database) if len(of_stack) > 1 else "" for database in of_stack]
    named = list(zip(names, found, strict=True))
    all_found = (replace(finding, database=name) for name, its in named for finding in its.findings)
    tried = [of_login for its in found for of_login in its.tried]
    left = judged(stack.accepted, all_found, _today())
    # If not everything was checked, an acceptance may be needed all the same.
    idle = left.idle if asked.logins and asked.service is None else ()
    return Report(
        stack.name,
        tuple(ordered(left.findings)),
        (
            *(f"{name}: {notice.text}" if name else notice.text for name, its in named for notice in its.notices),
            *(
                f"engarde:accepted: {entry.check}: {entry.subject} is not found any more; remove the entry"
                for entry in idle
            ),
        ),
        tuple(replace(row, database=name) for name, its in named for row in its.matrix),
        sum(of_login.logged_in for of_login in tried),
        sum(of_login.probes for of_login in tried),
        sum(of_login.by_catalog for of_login in tried),
        left.taken,
        asked.service,
    )


def _of_database(
    stack: DatabaseStack, recorded: Recorded, login: Access, asked: Asked, progress: Callable[[int], None]
) -> _Found:
    known, compared = recorded.outputs, registry.checks("isolation")
    with session(login) as admin:
        observed = Observed(stack, lambda: admin, recorded)
        placing = [check for check in compared if check.stage == Stage.PLACING]
        found = [finding for check in placing for finding in sorted(check.findings(stack, observed))]
        observed.placed = tuple(_to_make(stack.stack, asked, found))
        others = [check for check in compared if check not in placing]
        found += (finding for check in others for finding in sorted(check.findings(stack, observed)))
        notices = [notice for check in compared for notice in check.notices(stack, observed)]
        several, triggers, catalog = has_citus(admin), observed.event_triggers, observed.catalog
    # Probes make and change things, and would fire event triggers of other roles.
    foreign = [trigger.name for trigger in triggers if trigger.changers]
    tried = _tried(stack, known, catalog, login, progress) if asked.logins and not foreign else []
    tried += [logins.limits(stack, known, catalog)] if asked.limits else []
    # What the catalogs explain about a session is a finding already, with its remedy. An accepted finding has none, and
    # so explains nothing.
    explained = {finding.subject for finding in _to_make(stack.stack, asked, found)}
    unexplained = [finding for of_login in tried for finding in of_login.findings if finding.subject not in explained]
    observed.tried = tuple(blamed(observed.admin, triggers, unexplained))
    found += (finding for check in registry.checks("logins") for finding in check.findings(stack, observed))
    # The contents of a renamed schema are as declared once the schema has its name again.
    renamed = set(owners.renamed_schemas(stack, catalog).values())
    found = [finding for finding in found if finding.check == "schema" or not finding.concerns & renamed]
    # A backup removes by itself the role that it uses for its proof.
    proving = sorted(name for name, role in catalog.roles.items() if name.startswith(PROOF) and role.passing)
    found = [finding for finding in found if not finding.concerns & {*proving}]
    kept = [finding for finding in found if _concerns(stack.stack, asked.service, finding)]
    on_trust = sum(of_login.on_trust for of_login in tried)
    trust = f"{on_trust} roles logged in without a password (trust in pg_hba.conf), so their logins prove nothing"
    of_server = [
        *([CITUS_UNKNOWN] if several else []),
        *([trust] if on_trust else []),
        *(
            f"role {name} has a service's privileges for at most an hour: a running backup uses it for its proof"
            for name in proving
        ),
        *(
            [f"no logins were tried, because they would fire event triggers of other roles: {', '.join(foreign)}"]
            if foreign
            else []
        ),
    ]
    notices += [*_missing(stack, catalog), *(notice for of_login in tried for notice in of_login.notices)]
    return _Found(
        tuple(kept),
        (
            *map(Notice, of_server),
            *(notice for notice in notices if _concerns(stack.stack, asked.service, notice)),
        ),
        _about(stack, asked.service, matrix(stack, catalog, found)),
        tried,
    )


def _about(stack: DatabaseStack, service: str | None, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """For one service: its access to each schema, and the access of all others to its own schema."""
    if service is None:
        return rows
    [of_it] = [declared for declared in stack.stack.services if declared.name == service]
    others = (replace(row, cells=tuple(cell for cell in row.cells if cell.schema == of_it.schema_)) for row in rows)
    narrowed = [row if row.role == of_it.role else other for row, other in zip(rows, others, strict=True)]
    return tuple(row for row in narrowed if any(cell.access != "-" or not cell.as_declared for cell in row.cells))


def _to_make(whole: Stack, asked: Asked, found: Iterable[Finding]) -> list[Finding]:
    """The findings that this run has remedies for: not those that are accepted, or about other services."""
    return [
        finding
        for finding in judged(whole.accepted, found, _today()).findings
        if _concerns(whole, asked.service, finding)
    ]


def _today() -> date:
    return datetime.now(UTC).date()


def _tried(
    stack: DatabaseStack, known: Outputs, catalog: Catalog, login: Access, progress: Callable[[int], None]
) -> list[logins.Tried]:
    tried = [*logins.all_of(stack, known, catalog, progress), *logins.shut_out(stack, known, catalog)]
    # A new session, which also shows whether a failed login was refused or the server is gone.
    with session(login, read_only=False) as admin:
        return [*tried, logins.new_things(stack, catalog, admin)]


def _missing(stack: DatabaseStack, catalog: Catalog) -> Iterator[Notice]:
    there = {(relation.schema, relation.name) for relation in catalog.relations}
    names = {service.role: service.name for service in stack.services}
    for role, read in readings(stack):
        if (read.schema_, read.table) not in there:
            who = names.get(role, role)
            text = f"{who} is declared to read {read.schema_}.{read.table}, which does not exist yet"
            yield Notice(text, frozenset({role, read.schema_}))
    for service in stack.services:
        for call in service.executes:
            if call not in catalog.functions:
                text = f"{service.name} is declared to call {call}, which does not exist yet, or not with these types"
                yield Notice(text, frozenset({service.role, call.schema_}))


def _concerns(stack: Stack, service: str | None, found: Finding | Notice) -> bool:
    of_it = {
        name for declared in stack.services if declared.name == service for name in (declared.role, declared.schema_)
    }
    return service is None or not found.concerns or bool(of_it & found.concerns)
