"""How the table of symptoms spells its patterns."""

from __future__ import annotations

import re

HOST = r'(?:connection to server at "(?P<host>[^"]+)"(?: \([^)]*\))?, port (?P<port>\d+) failed: )?'
"""Where libpq went, before what it was told there."""


def words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns for one line, whatever the case; groups are fields of `Named`."""
    return tuple(re.compile(each, re.IGNORECASE) for each in patterns)


def codes(*sqlstates: str) -> frozenset[str]:
    """The SQLSTATEs that come with it."""
    return frozenset(sqlstates)
