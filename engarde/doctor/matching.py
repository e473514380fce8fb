"""Finds in a pasted text the error that it is about."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from engarde.doctor.model import LONGEST_NAME, MatchedError, Named, Symptom
from engarde.doctor.normalize import lines
from engarde.util.masking import small

LONGEST = 300
"""Of the line that is printed again [characters]."""

_CODE = r"[0-9A-Z]{5}"
_BARE = re.compile(rf"\s*(?:SQLSTATE\W*)?({_CODE})\W*", re.IGNORECASE)
_CODED = re.compile(
    rf"""\bSQLSTATE\W{{0,6}}({_CODE})\b|\b(?:sql_?state|pgcode|code)["']?\s*[=:]\s*["']?({_CODE})\b"""
    rf"|\b(?:ERROR|FATAL|PANIC):\s+({_CODE}):",
    re.IGNORECASE,
)
_CLOSING = "\"'`)]},;. "


@dataclass(frozen=True, slots=True, order=True)
class _Hit:
    weak: bool
    line: int
    column: int
    rank: int
    """of the symptom in the table, and of its pattern"""


def match(text: str, symptoms: Iterable[Symptom]) -> MatchedError | None:
    """What the text is about: the first error of those that the table knows; None when it knows none."""
    known = tuple(symptoms)
    said = lines(text)
    if bare := _BARE.fullmatch(" ".join(said)):
        return _of_code(bare[1], said, known, text)
    if hits := list(_hits(said, known)):
        hit, symptom, match = min(hits, key=lambda hit: hit[0])
        line = said[hit.line]
        return MatchedError(symptom, _shown(line), _named(match, line), said, text)
    for code in (next(filter(None, found.groups())) for line in said for found in _CODED.finditer(line)):
        if error := _of_code(code, said, known, text):
            return error
    return None


def _hits(said: Sequence[str], known: Iterable[Symptom]) -> Iterator[tuple[_Hit, Symptom, re.Match[str]]]:
    low = [small(line) for line in said]
    whole = "\n".join(low)
    for rank, symptom in enumerate(known):
        for pattern in symptom.patterns:
            # Most of them are nowhere, which is known sooner of all lines at once.
            for number, line in enumerate(low) if pattern.search(whole) else ():
                if match := pattern.search(line):
                    yield _Hit(symptom.weak, number, match.start(), rank), symptom, match


def _of_code(code: str, said: tuple[str, ...], known: tuple[Symptom, ...], text: str) -> MatchedError | None:
    """One symptom with the causes of all that have the SQLSTATE, each once."""
    having = [symptom for symptom in known if code.upper() in symptom.sqlstates]
    if not having:
        return None
    causes = tuple({cause.says: cause for symptom in having for cause in symptom.causes}.values())
    line = next(line for line in said if code in line)
    return MatchedError(replace(having[0], causes=causes), _shown(line), Named(), said, text)


def _named(match: re.Match[str], line: str) -> Named:
    known = {field.name for field in fields(Named)} & match.groupdict().keys()
    found = {key: line[slice(*match.span(key))][:LONGEST_NAME] for key in known}
    return Named(**{key: _clean(value) for key, value in found.items() if value})


def _clean(name: str) -> str:
    # What was cut out of JSON or of Python's own notation ends in what closed it there.
    return name.strip() if name.count('"') % 2 == 0 else name.strip().rstrip(_CLOSING)


def _shown(line: str) -> str:
    return line if len(line) <= LONGEST else line[:LONGEST] + " …"
