"""The remedies that lose nothing, run for the operator: all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engarde.checks.remedies import transactions
from engarde.errors import Refused
from engarde.output.findings import Finding
from engarde.server.credentials import Access
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import Session, session

PATIENCE = 2
"""How long a statement may wait for a lock, with a live service's queries queueing behind it [seconds]."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done, and the statement that does it."""

    sentence: str
    statement: str
    database: str = ""
    """as the tool calls it, where the stack has more than one"""


def changes(findings: Iterable[Finding]) -> list[Change]:
    """Those that are safe to make, in the order in which they are made, each statement once."""
    safe = [finding for whole in transactions(findings) if whole.safe for finding in whole.findings]
    return list(
        {(transaction.database, transaction.remedy.text): _change(transaction) for transaction in safe}.values()
    )


def _change(finding: Finding) -> Change:
    sentence = f"{finding.check}: {finding.subject} becomes {finding.expected}"
    return Change(sentence, finding.remedy.text, finding.database)


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
                asked.change(change.statement)
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
        asked.run(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        yield asked
        asked.commit()
