"""Runs the safe remedies for the operator: all or none of them, or each transaction by itself."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engarde.checks.remedies import PATIENCE, Transaction, transactions
from engarde.declaration.databases import find
from engarde.declaration.model import Stack
from engarde.errors import Refused, Unfinished, Unreachable
from engarde.output.findings import Finding
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.credentials import Access
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import Session, session

TRIES = 3
PAUSE = 1.0
"""Between two tries [seconds]: by then, a service's statements that queued are done."""
IN_THE_WAY = frozenset({"55P03", "40P01"})
"""A lock time-out and a deadlock: a later try may succeed."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a statement does, and the statement."""

    sentence: str
    statement: str
    database: str = ""
    """as the tool calls it, where the stack has more than one"""


def changes(findings: Iterable[Finding]) -> list[Change]:
    """The safe changes, in the order in which they run, each statement once."""
    made: dict[tuple[str, str], Change] = {}
    for finding in (finding for whole in transactions(findings) if whole.safe for finding in whole.findings):
        sentence, heal = f"{finding.check}: {finding.subject} becomes {finding.expected}", finding.remedy.text
        made[finding.database, heal] = Change(sentence, heal, finding.database)
    return list(made.values())


def apply(login: Access, made: Sequence[Change]) -> None:
    """Makes the changes in one transaction.

    :raises Refused: one of them fails, or the session would run others' functions; nothing is changed.
    :raises Unreachable: no answer, or the session was lost before the end.
    """
    if not made:
        return
    with changing(login) as asked:
        for change in made:
            try:
                asked.execute_or_refuse(change.statement)
            except Refused as why:
                raise Refused(f"One statement failed. Nothing was changed.\n  {why}") from None


@contextmanager
def changing(login: Access) -> Iterator[Session]:
    """A session that changes what live services use; it commits at the end of the block, or changes nothing.

    :raises Refused: the session would run others' functions.
    :raises Unreachable: no answer, or the session was lost before the end.
    """
    with session(login, read_only=False) as asked:
        refuse_event_triggers(asked, login.role)
        asked.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        yield asked
        asked.commit()


@dataclass(frozen=True, slots=True)
class NotMade:
    """A transaction that failed, and why."""

    transaction: Transaction
    reason: str


def mend(stack: Stack, wanted: Sequence[Transaction]) -> list[NotMade]:
    """Runs each transaction by itself, and returns those that failed.

    :raises Unreachable: no answer; nothing was changed.
    :raises Unfinished: the same after something was changed.
    """
    logins = {transaction.database: login_of_admin(find(stack, transaction.database or None)) for transaction in wanted}
    failed: list[NotMade] = []
    for number, transaction in enumerate(wanted):
        try:
            _make(logins[transaction.database], transaction.statements)
        except Refused as refusal:
            failed.append(NotMade(transaction, str(refusal)))
        except Unreachable as lost:
            made = number - len(failed)
            if not made:
                raise
            done = f"{made} of {len(wanted)} transactions were committed"
            raise Unfinished(f"{lost}\n{done}. Run the command again to resume") from None
    return failed


def _make(login: Access, statements: str) -> None:
    for left in reversed(range(TRIES)):
        try:
            with changing(login) as asked:
                asked.execute_or_refuse(statements)
        except Refused as refusal:
            if not left or refusal.sqlstate not in IN_THE_WAY:
                raise
            time.sleep(PAUSE)
        else:
            return
