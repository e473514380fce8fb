"""How the table of symptoms spells its patterns."""

from __future__ import annotations

import re

HOST = r'connection to server at "(?P<host>[^"]+)"(?: \([^()]*\))?, port (?P<port>\d+) failed: '
"""Where libpq went, before what it was told there."""
_CAPITALS = re.compile(r"(\\.|\(\?P<\w+>)|([A-Z]+)")


def words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns for a line in small letters; groups are fields of `Named`.

    Each takes time in proportion to the line: what may begin anywhere in it has an end that is near. Not re.IGNORECASE,
    with which each of them is tried at each place of a long line.
    """
    small = (_CAPITALS.sub(lambda found: found[1] or found[2].lower(), each) for each in patterns)
    return tuple(re.compile(each, re.MULTILINE) for each in small)


def codes(*sqlstates: str) -> frozenset[str]:
    """The SQLSTATEs that come with it."""
    return frozenset(sqlstates)
