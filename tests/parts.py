"""The parts that all tests are run in: what `make test` runs, and what it leaves to `make test-all PART=...`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import BUILDS

USUAL, ADMINS, EXHAUSTIVE = "usual", "admins", "exhaustive"
MAJORS = {f"pg{major}": major for major in BUILDS}
PARTS = {
    USUAL: "what `make test` runs",
    ADMINS: "the variants with an admin that is no superuser",
    EXHAUSTIVE: "what takes minutes and proves something rare, with both kinds of admin",
    **{part: f"the engine and driver tests on PostgreSQL {major}, with both" for part, major in MAJORS.items()},
}
FOLDERS = tuple(Path(__file__).parent / name for name in ("engine", "drivers"))
"""What another major is tried with; the others choose their servers themselves, or have none."""


def part_of(test: pytest.Item) -> str:
    """The one part of the first three that a test is in."""
    return next((part for part in (EXHAUSTIVE, ADMINS) if test.get_closest_marker(part)), USUAL)


def within(part: str, test: pytest.Item) -> bool:
    """Whether a test is in the part."""
    if part in MAJORS:
        return any(test.path.is_relative_to(folder) for folder in FOLDERS)
    return part_of(test) == part


def sampled(values: Iterable[Any], *usual: Any) -> list[Any]:
    """The values to try a test with: these usually, the rest where there is time for all."""
    values = list(values)
    assert all(value in values for value in usual), "a value that is tried usually is none of all"
    return [value if value in usual else pytest.param(value, marks=pytest.mark.exhaustive) for value in values]
