"""The commands that look and explain: verify, doctor, explain."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import databases, logins, services
from engarde.cli.options import OnServices, asking, command
from engarde.declaration.databases import find, of_login, service_of
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Stack
from engarde.declaration.resource_names import ADMIN
from engarde.errors import EngardeError, Refused, Unfinished, Unreachable
from engarde.pulumi_cli.logins import access, login_of_admin
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.checks.apply_remedies import Change
    from engarde.checks.remedies import Transaction
    from engarde.output.show import Result, Shown


@command("verify", cls=OnServices, short_help="Prove that the database is as declared, and isolated.")
@click.option("--no-logins", is_flag=True, help="Only compare the catalogs; try nothing.")
@click.option(
    "--probe-limits",
    is_flag=True,
    help="Also use up every role's connections; running services cannot connect meanwhile.",
)
@click.option("--sql", is_flag=True, help="Print only the fixes, as a script for psql.")
@click.option("--fix", is_flag=True, help="Apply the fixes that cannot lose data or access, then verify again.")
@click.option("--dry-run", is_flag=True, help="With --fix: only print what would be done.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.argument("service", required=False, shell_complete=services)
def verify_command(
    stack: str,
    service: str | None,
    output: str,
    no_logins: bool,
    probe_limits: bool,
    sql: bool,
    fix: bool,
    dry_run: bool,
    yes: bool,
) -> Shown:
    """Prove that the database is exactly as declared, and that isolation holds. With SERVICE, check only that service.

    Exit codes: 0 as declared, 1 findings, 2 usage, a fault in the stack file, or --fix changed nothing, 3 could not
    connect, 4 --fix was applied in part.
    """
    from engarde.checks.remedies import left_because, script, transactions
    from engarde.output.show import Shown, logins_left
    from engarde.verify.report import Report, as_json, as_text
    from engarde.verify.run import Asked, verify

    if sql and (fix or output == "json"):
        raise click.UsageError("--sql cannot be combined with --fix or --output json")
    if (dry_run or yes) and not fix:
        raise click.UsageError("--dry-run and --yes need --fix")
    declared = read(FOLDER, stack)
    if service:
        service_of(declared, service)

    def look() -> Report:
        with logins_left() as progress:
            return verify(declared, Asked(service, not no_logins, probe_limits), progress)

    report = look()
    unmade: EngardeError | None = None
    if fix and (safe := [transaction for transaction in transactions(report.findings) if transaction.safe]):
        unmade = _mend(declared, safe, dry_run=dry_run, yes=yes)
        try:
            report = report if dry_run else look()
        except Unreachable as lost:
            made = Unfinished(f"{lost}\n{len(safe)} transactions were applied; run `verify` again")
            raise unmade or made from None
    for finding in report.findings if fix else ():
        if why := left_because(finding):
            say(f"not fixed: {finding.check}: {finding.subject}: {why}")
    code = unmade.exit_code if unmade else 1 if report.findings else 0
    text = partial(script, declared, report.findings) if sql else partial(as_text, report)
    return Shown(text, partial(as_json, report), code, unmade or "")


def _mend(declared: Stack, safe: Sequence[Transaction], *, dry_run: bool, yes: bool) -> EngardeError | None:
    """Applies the safe transactions; returns an error if some failed."""
    from engarde.checks.apply_remedies import mend

    for transaction in safe:
        for line in _lines(transaction):
            say(line)
    if dry_run:
        return None
    asking(yes=yes)(f"{len(safe)} transactions; each waits at most 2 s for a lock")
    if not (failed := mend(declared, safe)):
        return None
    reasons = "\n".join(line for unmade in failed for line in (*_lines(unmade.transaction), f"  {unmade.reason}"))
    made = len(safe) - len(failed)
    fault = Unfinished if made else Refused
    return fault(f"{made} of {len(safe)} transactions were applied. These were not:\n{reasons}")


def _lines(made: Transaction) -> Iterator[str]:
    """The findings that it fixes, and its statements."""
    where = f" (database {made.database})" if made.database else ""
    yield from dict.fromkeys(f"{finding.check}: {finding.subject}{where}" for finding in made.findings)
    yield from (f"  {line}" for line in made.statements.split("\n"))


@command("doctor", short_help="Explain an error, or check the stack, and name the fix.")
@click.option("--fix", is_flag=True, help="Apply the fixes that cannot lose data: all of them or none.")
@click.argument("text", nargs=-1, metavar="[TEXT]...|-")
def doctor_command(stack: str, fix: bool, text: tuple[str, ...]) -> Result:
    """Explain an error or a SQLSTATE, given as TEXT or (`-`) on standard input, and name the one fix.

    Without TEXT, check the stack and its server, and name the fixes. Exit codes: 0 no cause applies now, or nothing is
    wrong, 1 a cause applies or may apply, or findings, 2 unknown error, usage or a fault in the stack file, 3 could not
    connect.
    """
    from engarde.checks.apply_remedies import changes
    from engarde.doctor.examine import examine
    from engarde.migrate.projects import histories
    from engarde.output.show import Findings

    declared = read(FOLDER, stack)
    if text:
        return _explain(declared, sys.stdin.read() if text == ("-",) else " ".join(text), fix)
    findings = examine(declared, histories)
    if fix and (safe := changes(findings)):
        _make(declared, safe)
        findings = examine(declared, histories)
    return Findings(findings, f"nothing is wrong with stack {stack}")


def _explain(declared: Stack, text: str, fix: bool) -> Shown:
    from engarde.doctor import diagnose
    from engarde.output.show import Shown

    diagnosis = diagnose(declared, text)
    if diagnosis and fix and (safe := diagnosis.changes):
        _make(declared, safe)
        diagnosis = diagnose(declared, text)
    if diagnosis is None:
        raise EngardeError(f"unknown error; run `bin/engarde doctor --stack {declared.name}` to check the whole stack")
    complaint = diagnosis.unreachable if diagnosis.exit_code == Unreachable.exit_code else ""
    return Shown(partial(diagnosis.shown, declared.name), diagnosis.data, diagnosis.exit_code, complaint)


def _make(declared: Stack, safe: Sequence[Change]) -> None:
    from engarde.checks.apply_remedies import apply

    made: list[str] = []
    for database in dict.fromkeys(change.database for change in safe):
        here = [change for change in safe if change.database == database]
        for change in here:
            say(change.sentence)
            for line in change.statement.split("\n"):
                say(f"  {line}")
        try:
            apply(access(declared, ADMIN, database=database or None), here)
        except EngardeError as error:
            if not made:
                raise
            raise Unfinished(
                f"{error}\nThe changes in {', '.join(made)} were made; run the same command again to resume"
            ) from None
        made.append(f"database {database}")


@command("explain")
@click.option(
    "--database",
    shell_complete=databases,
    help="One of the stack's databases. By default that of the service, or the shared one.",
)
@click.argument("who", metavar="ROLE", shell_complete=logins)
@click.argument("what", metavar="OBJECT")
def explain_command(stack: str, database: str | None, who: str, what: str) -> Shown:
    """Print why a role has, or lacks, each privilege on an object.

    ROLE is a role of the server, a service's name, analytics, admin or PUBLIC. OBJECT is schema.table (or view,
    sequence), schema.function(argument types), a schema or a database; quote a name with a dot. Exit codes: 0 the role
    has only what is declared, 1 it has more, or the server disagrees, 2 usage, a fault in the stack file, no such role
    or object, 3 could not connect.
    """
    from engarde.explain import explain
    from engarde.explain import show as of_explanation
    from engarde.output.show import Shown

    declared = read(FOLDER, stack)
    of = find(declared, database) if database else of_login(declared, who)
    found = explain(of, login_of_admin(of), who, what)
    code = 0 if found.as_declared else 1
    return Shown(partial(of_explanation.table, found), partial(of_explanation.data, found), code)
