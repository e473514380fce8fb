"""Finds the error in a pasted text: logs, JSON, tracebacks, psql's output."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace

from engarde.doctor.error_text import LONGEST_NAME, Named
from engarde.doctor.model import MatchedError, Symptom
from engarde.util.masking import masked, small

LONGEST = 1_000_000
"""Of the text that is read [characters]; only both ends of a longer one are."""
LONGEST_LINE = 300
"""Of the line that is printed again [characters]."""

_CODE = r"[0-9A-Z]{5}"
_BARE = re.compile(rf"\s*(?:SQLSTATE\W*)?({_CODE})\W*", re.IGNORECASE)
_CODED = re.compile(
    rf"""\bSQLSTATE\W{{0,6}}({_CODE})\b|\b(?:sql_?state|pgcode|code)["']?\s*[=:]\s*["']?({_CODE})\b"""
    rf"|\b(?:ERROR|FATAL|PANIC):\s+({_CODE}):",
    re.IGNORECASE,
)
_CLOSING = "\"'`)]},;. "
# No other sequence: it may be a part of a name.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
# The server's quotes in languages other than English, and the quotes of word processors.
_QUOTES = re.compile("[\xa0\u202f]?\xbb|\xab[\xa0\u202f]?|[\u201e\u201c\u201d\u201f]")
_SINGLE = re.compile("[\u2018\u2019\u201a\u201b\u2039\u203a`\xb4]")
_ESCAPED = re.compile(r"\\(n|r|t|\"|'|\\)")
_MEANT = {"n": "\n", "r": "\n", "t": "\t"}


def match(text: str, symptoms: Iterable[Symptom]) -> MatchedError | None:
    """The first error in the text that matches a symptom; None if none does."""
    known = tuple(symptoms)
    said = lines(text)
    if bare := _BARE.fullmatch(" ".join(said)):
        return _of_code(bare[1], said, known, text)
    if hits := list(_hits(said, known)):
        (_, number, *_), symptom, match = min(hits, key=lambda hit: hit[0])
        return MatchedError(_shown(said[number]), _named(match, said[number]), said, text, symptom)
    for code in (next(filter(None, found.groups())) for line in said for found in _CODED.finditer(line)):
        if error := _of_code(code, said, known, text):
            return error
    return None


_Hit = tuple[tuple[bool, int, int, int], Symptom, re.Match[str]]
"""The sort key is first: whether the symptom is weak, the line, the column, and the symptom's rank in the table."""


def _hits(said: Sequence[str], known: Iterable[Symptom]) -> Iterator[_Hit]:
    low = [small(line) for line in said]
    whole = "\n".join(low)
    for rank, symptom in enumerate(known):
        for pattern in symptom.patterns:
            # Most patterns match nowhere, and one search over all lines rules them out faster.
            for number, line in enumerate(low) if pattern.search(whole) else ():
                if match := pattern.search(line):
                    yield (symptom.weak, number, match.start(), rank), symptom, match


def _of_code(code: str, said: tuple[str, ...], known: tuple[Symptom, ...], text: str) -> MatchedError | None:
    """One symptom with the causes of all symptoms of the SQLSTATE, each once."""
    having = [symptom for symptom in known if code.upper() in symptom.sqlstates]
    if not having:
        return None
    causes = tuple({cause.says: cause for symptom in having for cause in symptom.causes}.values())
    line = next(line for line in said if code in line)
    return MatchedError(_shown(line), Named(), said, text, replace(having[0], causes=causes))


def _named(match: re.Match[str], line: str) -> Named:
    known = {field.name for field in fields(Named)} & match.groupdict().keys()
    found = {key: line[slice(*match.span(key))][:LONGEST_NAME] for key in known}
    return Named(**{key: _clean(value) for key, value in found.items() if value})


def _clean(name: str) -> str:
    # A name out of JSON or of a Python repr may end in its closing characters.
    return name.strip() if name.count('"') % 2 == 0 else name.strip().rstrip(_CLOSING)


def _shown(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " …"


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text without secrets; each JSON object in it becomes one `key: value` line for each value."""
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + "\n" + text[-LONGEST // 2 :]
    # First, so that no secret loses its closing quotes or is cut at an escaped line end.
    safe = masked(_COLOUR.sub("", text))
    found = [line.strip() for whole in _whole(safe) for line in plain(whole).splitlines()]
    return tuple(filter(None, found))


def plain(text: str) -> str:
    """The text with one kind of quotes, and escaped line ends as real ones."""
    text = _SINGLE.sub("'", _QUOTES.sub('"', text))
    if "\\n" in text or '\\"' in text:
        text = _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text)
    return text


def _whole(text: str) -> Iterator[str]:
    if (values := _values(text)) is not None:
        yield from values
        return
    for line in text.splitlines():
        # A log line is often a time or a name, then JSON.
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
    # Not by recursion: in deep nesting each value would pass through every level.
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
