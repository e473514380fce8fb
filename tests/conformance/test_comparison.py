"""The comparison itself: what it lets pass, and that every damage to a recording shows."""

from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.comparison import differences
from tests.conformance.recording import Outcome

STEP = {"name": "role", "op": "update", "diffs": ["connectionLimit"], "keys": []}
SCHEMA = {"kind": "schema", "name": "app", "facts": {"owner": "cf_app", "acl": None}}
RECORDED = Outcome(
    catalog=[SCHEMA],
    steps=(STEP,),
    state=({"name": "role", "id": "cf_app", "inputs": {}, "outputs": {"roles": None}},),
    transactions=(("lock a", "revoke a", "grant a", "lock b", "revoke b"),),
)
OBSERVED = replace(RECORDED, transactions=(("lock a", "revoke a", "grant a"), ("lock b", "revoke b")))


def test_a_run_as_recorded_shows_no_difference() -> None:
    assert differences(RECORDED, OBSERVED) == []


def test_whole_transactions_may_change_places() -> None:
    assert differences(RECORDED, replace(OBSERVED, transactions=OBSERVED.transactions[::-1])) == []


@pytest.mark.parametrize(
    "change",
    [
        {"exit": 1},
        {"errors": ("pq: permission denied (42501)",)},
        {"steps": ()},
        {"steps": (STEP | {"diffs": ["name"]},)},
        {"state": ({"name": "role", "id": "cf_app", "inputs": {}, "outputs": {"roles": []}},)},
        {"catalog": [SCHEMA | {"facts": {"owner": "cf_app", "acl": ["cf_app=UC/cf_app"]}}]},
        {"transactions": OBSERVED.transactions[:1]},
        {"transactions": (*OBSERVED.transactions, ("grant b",))},
        {"transactions": (("lock a", "grant a", "revoke a"), ("lock b", "revoke b"))},
        {"transactions": (("lock a", "revoke a", "lock b"), ("grant a", "revoke b"))},
    ],
    ids=str,
)
def test_anything_else_is_a_difference(change: dict[str, Any]) -> None:
    assert len(differences(RECORDED, replace(OBSERVED, **change))) == 1
