"""Amounts as people read them."""

from __future__ import annotations

import pytest

from engarde.declaration.declared import of_bytes
from engarde.util.terminal import first_few, indented


def test_the_first_of_many() -> None:
    assert first_few([], 2) == ""
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few(["a", "b", "c"], 2) == "a, b and 1 more"
    assert first_few(["a", "b", "c"], 1, "\n", "\nand ") == "a\nand 2 more"


def test_each_on_its_own_line() -> None:
    assert indented([]) == ""
    assert indented(["a", 2]) == "  a\n  2"


@pytest.mark.parametrize(
    ("number", "said"), [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 kB"), (5 << 40, "5.0 TB")]
)
def test_bytes(number: int | None, said: str) -> None:
    assert of_bytes(number) == said
