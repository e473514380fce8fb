"""Making the transactions that lose no data and take nothing from anybody, one after another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from engarde.checks.apply_remedies import changing
from engarde.checks.remedies import Transaction
from engarde.declaration.databases import find
from engarde.declaration.model import Stack
from engarde.errors import Refused, Unfinished, Unreachable
from engarde.server.credentials import Access, login_of_admin

TRIES = 3
PAUSE = 1.0
"""Between two of them [seconds]: a service's statements that queued meanwhile are done by then."""
IN_THE_WAY = frozenset({"55P03", "40P01"})
"""A lock that did not come in time, a deadlock: the same may work a little later."""


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
                asked.change(statements)
        except Refused as refusal:
            if not left or refusal.sqlstate not in IN_THE_WAY:
                raise
            time.sleep(PAUSE)
        else:
            return
