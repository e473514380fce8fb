"""The statement that failed, as quoted in a text."""

import re
from collections.abc import Iterable, Sequence

from engarde.declaration.names import QUOTED, unquoted

# Not possessive like names.QUOTED: if a log quotes the whole statement, it can end in two quotes.
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_AFTER = r"\b(?:FROM|JOIN|INTO|UPDATE|REFERENCES|TABLE(?:\s+IF(?:\s+NOT)?\s+EXISTS)?|ONLY|ON|TRUNCATE)\s+"
_TABLE = re.compile(rf"{_AFTER}({_NAME})(?:\s*\.\s*({_NAME}))?", re.IGNORECASE)
_QUOTED = re.compile(
    r"(?:LINE \d+:|\[SQL:|STATEMENT:|\b(?:query|sql|statement)[\"']?\s*[:=])\s*[\"'(]*(\w+)", re.IGNORECASE
)
_FOREIGN_KEY = re.compile(r"\b(?:REFERENCES|FOREIGN\s+KEY)\b|definitions after the rows", re.IGNORECASE)
"""The third alternative is the name of the step of a restore that creates the foreign keys."""
_TARGET = re.compile(
    r"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|LOCK(?:\s+TABLE)?|ANALYZE|COPY)"
    rf"\s+(?:ONLY\s+)?({_NAME})(?:\s*\.\s*({_NAME}))?(?![\w$]|\s*\.|\s*(?:\([^()]*\)\s*)?TO\b)",
    re.IGNORECASE,
)
_NO_TABLE = frozenset({"set", "of", "nowait", "skip"})
"""Words after UPDATE in ON CONFLICT DO UPDATE and in FOR UPDATE."""
_LOCKED = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|SHARE|KEY\s+SHARE)\b", re.IGNORECASE)
_FUNCTION = re.compile(rf"\bPL/\w+ function ({_NAME})\s*\.\s*({_NAME})\(([^()]*)\) line ", re.IGNORECASE)


def verb(lines: Iterable[str]) -> str | None:
    """The first word of the statement, in capitals; None if the text quotes none."""
    return next((found[1].upper() for line in lines if (found := _QUOTED.search(line))), None)


def makes_foreign_key(lines: Iterable[str]) -> bool:
    """Whether the statement points a foreign key at a table."""
    return any(_FOREIGN_KEY.search(line) for line in lines)


def tables(lines: Iterable[str]) -> list[tuple[str | None, str]]:
    """Schema and name of the tables in the statement, in order; the schema only if it is written."""
    return [_table(first, second) for line in lines for first, second in _TABLE.findall(line)]


def table_in(lines: Iterable[str], schema: str) -> str | None:
    """The first table of the statement that is written with this schema."""
    return next((name for found, name in tables(lines) if found == schema), None)


def more_than_reading(lines: Sequence[str], schema: str, table: str | None = None) -> str | None:
    """The statement's words for what it does to a table, or to any of a schema, beyond SELECT; None if nothing."""
    if verb(lines) is None:
        return None
    text = "\n".join(lines)
    for word, first, second in _TARGET.findall(text):
        place, name = _table(first, second)
        there = place == schema or (place is None and table is not None)
        if name not in _NO_TABLE and there and table in (None, name):
            return " ".join(word.upper().split())
    read = [named for named in tables(lines) if named[0] == schema or (named[0] is None and named[1] == table)]
    locked = _LOCKED.search(text)
    return " ".join(locked[0].upper().split()) if locked and read else None


def function_within(lines: Sequence[str]) -> tuple[str, str] | None:
    """Schema and signature of the function that ran the failed statement, if the text names it."""
    found = _FUNCTION.search("\n".join(lines))
    return (_folded(found[1]), f"{found[1]}.{found[2]}({found[3]})") if found else None


def _table(first: str, second: str) -> tuple[str | None, str]:
    return (_folded(first), _folded(second)) if second else (None, _folded(first))


def _folded(name: str) -> str:
    quoted = QUOTED.match(name)
    return unquoted(quoted) if quoted else name.lower()
