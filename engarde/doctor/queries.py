"""The statement that failed, as far as a text quotes it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_AFTER = r"\b(?:FROM|JOIN|INTO|UPDATE|REFERENCES|TABLE(?:\s+IF(?:\s+NOT)?\s+EXISTS)?|ONLY|ON|TRUNCATE)\s+"
_TABLE = re.compile(rf"{_AFTER}({_NAME})(?:\s*\.\s*({_NAME}))?", re.IGNORECASE)
_QUOTED = re.compile(
    r"(?:LINE \d+:|\[SQL:|STATEMENT:|\b(?:query|sql|statement)[\"']?\s*[:=])\s*[\"'(]*(\w+)", re.IGNORECASE
)
_FOREIGN_KEY = re.compile(r"\b(?:REFERENCES|FOREIGN\s+KEY)\b|definitions after the rows", re.IGNORECASE)
"""What a restore calls the last of three steps, in which the foreign keys are made, stands for them."""
WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "COPY"})


def verb(lines: Iterable[str]) -> str | None:
    """The first word of the statement, in capitals; None where the text quotes none."""
    for line in lines:
        if found := _QUOTED.search(line):
            return found[1].upper()
    return None


def makes_foreign_key(lines: Iterable[str]) -> bool:
    """Whether the statement points a foreign key at a table."""
    return any(_FOREIGN_KEY.search(line) for line in lines)


def tables(lines: Iterable[str]) -> list[tuple[str | None, str]]:
    """Schema and name of the tables in the statement, in their order; the schema only where it is written."""
    found: list[tuple[str | None, str]] = []
    for line in lines:
        for first, second in _TABLE.findall(line):
            found.append((_folded(first), _folded(second)) if second else (None, _folded(first)))
    return found


def table_in(lines: Iterable[str], schema: str) -> str | None:
    """The first table of the statement that is written with this schema."""
    return next((name for found, name in tables(lines) if found == schema), None)


def schemas_of(lines: Iterable[str], names: frozenset[str]) -> frozenset[str]:
    """The schemas that the statement writes before one of these tables."""
    return frozenset(schema for schema, name in tables(lines) if schema and name in names)


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
