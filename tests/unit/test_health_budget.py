"""Limits that fit into what the server has."""

from __future__ import annotations

import pytest

from engarde.health.budget import lowered, needed


def test_the_largest_counts_twice() -> None:
    assert needed({"a": 10, "b": 5}) == 25


@pytest.mark.parametrize(
    ("limits", "room", "fitting"),
    [
        ({"a": 10, "b": 5}, 25, {"a": 10, "b": 5}),
        ({"a": 10, "b": 5}, 24, {"a": 9, "b": 5}),
        ({"a": 10, "b": 5}, 12, {"a": 4, "b": 4}),
        ({"a": 10, "b": 5}, 3, {"a": 1, "b": 1}),
        ({"a": 10, "b": 5}, 2, None),
    ],
)
def test_what_is_taken_is_taken_from_the_largest(
    limits: dict[str, int], room: int, fitting: dict[str, int] | None
) -> None:
    assert lowered(limits, room) == fitting
