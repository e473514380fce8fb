"""What `bin/engarde status` says of failed indexes and of tables without autovacuum, and what heals them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engarde.declaration.declared import Thresholds
from engarde.status.exceeded import NAMED, _to_mend
from engarde.status.storage import AutovacuumOff, InvalidIndex
from engarde.status.subjects import Subject
from tests.unit.results import stored


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("by_id", 'REINDEX INDEX CONCURRENTLY "s"."by_id";'),
        ("by_id_ccnew", 'DROP INDEX CONCURRENTLY "s"."by_id_ccnew";'),
        ("by_id_ccold12", 'DROP INDEX CONCURRENTLY "s"."by_id_ccold12";'),
        ("by_ccnew_id", 'REINDEX INDEX CONCURRENTLY "s"."by_ccnew_id";'),
        ('by "Id"; \u202e', 'REINDEX INDEX CONCURRENTLY "s".U&"by ""Id""; \\202E";'),
    ],
)
def test_what_was_left_behind_is_dropped_and_all_else_built_again(name: str, remedy: str) -> None:
    assert InvalidIndex("s", "t", name, 8192).remedy.text == remedy


def test_what_there_is_much_of_is_named_by_its_first() -> None:
    few = stored(Subject("s", ("s",), (), Thresholds()))
    assert few
    many = replace(
        few,
        invalid_indexes=tuple(InvalidIndex("s", "t", f"by_{number}", 0) for number in range(NAMED + 2)),
        autovacuum_off=tuple(AutovacuumOff("s", f"t{number}") for number in range(NAMED + 1)),
    )
    remarks = list(_to_mend(many))
    assert len([remark for remark in remarks if remark.remedy]) == 2 * NAMED
    assert [remark.said for remark in remarks if not remark.remedy] == [
        "more invalid indexes: 2",
        "more tables with autovacuum off: 1",
    ]
