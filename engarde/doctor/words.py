"""Brings whatever was pasted (logs, JSON, tracebacks, psql's output) to plain lines with plain quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

LONGEST = 1_000_000
"""Of a text that is read; an error stands at either end of a longer one [characters]."""

# No other sequence: it may be a part of a name.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
# What the server puts around names in other languages than English, and what word processors make of quotes.
_QUOTES = re.compile("[\xa0\u202f]?\xbb|\xab[\xa0\u202f]?|[\u201e\u201c\u201d\u201f]")
_SINGLE = re.compile("[\u2018\u2019\u201a\u201b\u2039\u203a`\xb4]")
_ESCAPED = re.compile(r"\\(n|r|t|\"|'|\\)")
_MEANT = {"n": "\n", "r": "\n", "t": "\t"}


def lines(text: str) -> list[str]:
    """The lines of a text, each JSON object in it as one `key: value` line per text value."""
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + "\n" + text[-LONGEST // 2 :]
    found: list[str] = []
    for line in _whole(_COLOUR.sub("", text)):
        found += plain(line).splitlines()
    return [line.strip() for line in found if line.strip()]


def plain(text: str) -> str:
    """The text with one kind of quotes, and with escaped line ends as line ends."""
    text = _SINGLE.sub("'", _QUOTES.sub('"', text))
    if "\\n" in text or '\\"' in text:
        text = _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text)
    return text


def _whole(text: str) -> Iterator[str]:
    if (values := _values(text)) is not None:
        yield from values
        return
    for line in text.splitlines():
        # A log line is often JSON after a time or a name.
        start = line.find("{")
        values = _values(line[start:]) if start >= 0 else None
        yield from [line] if values is None else [line[:start], *values]


def _values(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return list(_flat("", found)) if isinstance(found, dict | list) else None


def _flat(key: str, value: object) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _flat(str(name), inner)
        case list():
            for inner in value:
                yield from _flat(key, inner)
        case None | bool():
            return
        case _:
            yield f"{key}: {value}" if key else str(value)
