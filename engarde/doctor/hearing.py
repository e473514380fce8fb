"""Finds in a pasted text the error that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from engarde.doctor.model import Heard, Named, Symptom
from engarde.doctor.words import lines
from engarde.masking import masked

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
    faint: bool
    line: int
    column: int
    rank: int
    """of the symptom in the table, and of its pattern"""


def hear(text: str, symptoms: Iterable[Symptom]) -> Heard | None:
    """What the text is about: the first error of those that the table knows; None when it knows none."""
    known = tuple(symptoms)
    said = lines(text)
    if bare := _BARE.fullmatch(" ".join(said)):
        return _of_code(bare[1], said, known, text)
    best: tuple[_Hit, Symptom, re.Match[str]] | None = None
    for hit, symptom, match in _hits(said, known):
        if best is None or hit < best[0]:
            best = (hit, symptom, match)
    if best is not None:
        hit, symptom, match = best
        return Heard(symptom, _shown(said[hit.line]), _named(match), text)
    for code in (next(filter(None, found.groups())) for line in said for found in _CODED.finditer(line)):
        if heard := _of_code(code, said, known, text):
            return heard
    return None


def _hits(said: list[str], known: tuple[Symptom, ...]) -> Iterator[tuple[_Hit, Symptom, re.Match[str]]]:
    patterns = [(rank, symptom, each) for rank, symptom in enumerate(known) for each in symptom.patterns]
    for number, line in enumerate(said):
        for rank, symptom, pattern in patterns:
            if match := pattern.search(line):
                yield _Hit(symptom.faint, number, match.start(), rank), symptom, match


def _of_code(code: str, said: list[str], known: tuple[Symptom, ...], text: str) -> Heard | None:
    """One symptom with the causes of all that have the SQLSTATE, each once."""
    having = [symptom for symptom in known if code.upper() in symptom.sqlstates]
    if not having:
        return None
    causes = tuple({cause.says: cause for symptom in having for cause in symptom.causes}.values())
    line = next(line for line in said if code in line)
    return Heard(replace(having[0], causes=causes), _shown(line), Named(), text)


def _named(match: re.Match[str]) -> Named:
    known = {field.name for field in fields(Named)}
    return Named(**{key: _clean(value) for key, value in match.groupdict().items() if key in known and value})


def _clean(name: str) -> str:
    # What was cut out of JSON or of Python's own notation ends in what closed it there.
    return name.strip() if name.count('"') % 2 == 0 else name.strip().rstrip(_CLOSING)


def _shown(line: str) -> str:
    safe = masked(line)
    return safe if len(safe) <= LONGEST else safe[:LONGEST] + " …"
