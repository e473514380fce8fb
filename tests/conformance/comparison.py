"""What a run did otherwise than its recording."""

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.conformance.recording import Outcome


def differences(recorded: Outcome, observed: Outcome) -> list[str]:
    """One text for each thing that differs; empty where the run did as recorded."""
    pairs = [
        ("exit", recorded.exit, observed.exit),
        ("errors", recorded.errors, observed.errors),
        ("steps", recorded.steps, observed.steps),
        ("state", recorded.state, observed.state),
        ("catalog", recorded.catalog, observed.catalog),
    ]
    found = [_shown(name, _lines(was), _lines(now)) for name, was, now in pairs if _lines(was) != _lines(now)]
    return [*found, *_statements(recorded, observed)]


def _statements(recorded: Outcome, observed: Outcome) -> Iterator[str]:
    was = [each for group in recorded.transactions for each in group]
    now = [each for group in observed.transactions for each in group]
    if Counter(was) != Counter(now):
        yield _shown("statements", was, now)
    elif not composed_of(tuple(was), Counter(observed.transactions)):
        yield _shown("statements within one transaction stand in another order", was, now)


def composed_of(statements: tuple[str, ...], transactions: "Counter[tuple[str, ...]]") -> bool:
    """Whether the statements are these transactions one after the other, in whatever order.

    Which of two independent resources comes first means nothing; the order of one resource's statements does.
    """
    if not statements:
        return not transactions.total()
    for each in [each for each, left in transactions.items() if left and statements[: len(each)] == each]:
        if composed_of(statements[len(each) :], transactions - Counter([each])):
            return True
    return False


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True).splitlines()


def _shown(what: str, recorded: list[str], observed: list[str]) -> str:
    lines = difflib.unified_diff(recorded, observed, "recorded", "observed", lineterm="", n=6)
    return "\n".join([f"{what}:", *lines])
