"""Brings whatever was pasted (logs, JSON, tracebacks, psql's output) to plain lines: plain quotes, no secrets."""

import json
import re
from collections.abc import Iterator

from engarde.util.masking import masked

LONGEST = 1_000_000
"""Of a text that is read; an error stands at either end of a longer one [characters]."""

# No other sequence: it may be a part of a name.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
# What the server puts around names in other languages than English, and what word processors make of quotes.
_QUOTES = re.compile("[\xa0\u202f]?\xbb|\xab[\xa0\u202f]?|[\u201e\u201c\u201d\u201f]")
_SINGLE = re.compile("[\u2018\u2019\u201a\u201b\u2039\u203a`\xb4]")
_ESCAPED = re.compile(r"\\(n|r|t|\"|'|\\)")
_MEANT = {"n": "\n", "r": "\n", "t": "\t"}


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text without secrets, each JSON object in it as one `key: value` line per text value."""
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + "\n" + text[-LONGEST // 2 :]
    # First of all, so that no secret loses the quotes that end it, or is cut at an escaped line end.
    safe = masked(_COLOUR.sub("", text))
    found = [line.strip() for whole in _whole(safe) for line in plain(whole).splitlines()]
    return tuple(filter(None, found))


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
    return list(_flat(found)) if isinstance(found, dict | list) else None


def _flat(found: object) -> Iterator[str]:
    # Not by recursion: in something nested deeply each value would pass through all of it.
    left = [("", found)]
    while left:
        key, value = left.pop()
        match value:
            case dict():
                left += [(str(name), inner) for name, inner in reversed(value.items())]
            case list():
                left += [(key, inner) for inner in reversed(value)]
            case None | bool():
                continue
            case _:
                yield f"{key}: {value}" if key else str(value)
