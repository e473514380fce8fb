"""A statement's text as it is printed: on one line, without constants and comments, names as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde.util.masking import LONGEST_STATEMENT, one_line

MASKED = {
    "SELECT * FROM t1 WHERE a = $1 AND b = $12": "SELECT * FROM t1 WHERE a = $1 AND b = $12",
    "SELECT\n  'a'  ,\t'it''s', 1, -2.5e-3, 0x1F, .5, 1_000": "SELECT *** , ***, ***, -***-***, ***, ***, ***",
    "ALTER ROLE \"Ro'le 1\" PASSWORD 'hunter2'": 'ALTER ROLE "Ro\'le 1" PASSWORD ***',
    "ALTER ROLE r PASSWORD E'hun\\'ter2' VALID UNTIL 'infinity'": "ALTER ROLE r PASSWORD *** VALID UNTIL ***",
    "DO $x$ BEGIN PERFORM 'hunter2'; END $x$": "DO ***",
    "DO $$hunter2$$ LANGUAGE plpgsql": "DO *** LANGUAGE plpgsql",
    "SELECT 1 -- hunter2\n, /* hunter2 */ x": "SELECT *** , x",
    "SELECT 'cut off in its hunt": "SELECT ***",
    "DO $$ cut off": "DO ***",
    "SELECT x /* cut off": "SELECT x",
    'SELECT a1, b_2, "3", t4.c5 FROM s6.t7': 'SELECT a1, b_2, "3", t4.c5 FROM s6.t7',
    "SELECT e'x\\\\', name'y'": "SELECT ***, name***",
}


@pytest.mark.parametrize("query", MASKED)
def test_constants_are_masked(query: str) -> None:
    assert one_line(query) == MASKED[query]


def test_nothing_stays_nothing_and_a_long_text_is_cut() -> None:
    assert one_line(None) is None
    text = one_line("SELECT " + "a, " * 1000)
    assert text is not None and len(text) == LONGEST_STATEMENT and text.endswith("…")


@given(st.text(), st.integers(1, 60))
def test_a_quoted_secret_is_nowhere_however_it_is_cut(before: str, cut: int) -> None:
    names = before.replace("'", "").replace('"', "").replace("$", "").replace("/*", "").replace("--", "")
    query = f"ALTER ROLE x PASSWORD 'S3cretInAStatement' -- {names}"[: 22 + cut]
    assert "S3c" not in (one_line(query) or "")
