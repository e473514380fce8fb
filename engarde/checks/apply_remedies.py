"""The remedies that lose nothing, run for the operator: all of them or none, or each transaction by itself."""

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
"""Between two of them [seconds]: a service's statements that queued meanwhile are done by then."""
IN_THE_WAY = frozenset({"55P03", "40P01"})
"""A lock that did not come in time, a deadlock: the same may work a little later."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done, and the statement that does it."""

    sentence: str
    statement: str
    database: str = ""
    """as the tool calls it, where the stack has more than one"""


def changes(findings: Iterable[Finding]) -> list[Change]:
    """Those that are safe to make, in the order in which they are made, each statement once."""
    made: dict[tuple[str, str], Change] = {}
    for finding in (finding for whole in transactions(findings) if whole.safe for finding in whole.findings):
        sentence, heal = f"{finding.check}: {finding.subject} becomes {finding.expected}", finding.remedy.text
        made[finding.database, heal] = Change(sentence, heal, finding.database)
    return list(made.values())


def apply(login: Access, made: Sequence[Change]) -> None:
    """Makes the changes in one transaction.

    :raises Refused: the server does not make one of them, or would run others' functions, and so none is made.
    :raises Unreachable: no answer, or the session was lost before the end.
    """
    if not made:
        return
    with changing(login) as asked:
        for change in made:
            try:
                asked.execute_or_refuse(change.statement)
            except Refused as why:
                raise Refused(f"nothing was changed, for one statement failed:\n  {why}") from None


@contextmanager
def changing(login: Access) -> Iterator[Session]:
    """A session that changes what live services use: what is done in the block stays at its end, or nothing of it.

    :raises Refused: it would run others' functions.
    :raises Unreachable: no answer, or the session was lost before the end.
    """
    with session(login, read_only=False) as asked:
        refuse_event_triggers(asked, login.role)
        asked.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        yield asked
        asked.commit()


@dataclass(frozen=True, slots=True)
class NotMade:
    """A transaction that was not made, and what of it the server did not do."""

    transaction: Transaction
    reason: str


def mend(stack: Stack, wanted: Sequence[Transaction]) -> list[NotMade]:
    """Makes each by itself, and returns those that could not be made.

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
            raise Unfinished(f"{lost}\n{made} of {len(wanted)} transactions were made; run it again") from None
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
