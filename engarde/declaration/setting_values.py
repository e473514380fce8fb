"""The values of PostgreSQL's settings as the server reads them: times, sizes, switches and search paths."""

from __future__ import annotations

import re

UNITS = {"": 1, "us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
"""milliseconds"""

SIZES = {"": 1, "B": 1 / 1024, "kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}
"""kilobytes"""


def milliseconds(text: str) -> float:
    """A timeout, in whatever unit it was written; not a number where it is none."""
    parts = re.fullmatch(r"\s*(0[xX][0-9a-fA-F]+|[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([a-z]*)\s*", text)
    if parts is None:
        return float("nan")
    number = float(int(parts[1], 16)) if parts[1].lower().startswith("0x") else float(parts[1])
    return number * UNITS.get(parts[2], 1)


def kilobytes(text: str) -> float:
    """A size, in whatever unit it was written; not a number where it is none."""
    parts = re.fullmatch(r"\s*(-?[0-9.]+)\s*(B|kB|MB|GB|TB|)\s*", text)
    return float(parts[1]) * SIZES[parts[2]] if parts else float("nan")


def switched_on(text: str) -> bool:
    """Whether a switch is on, however it was written."""
    word = text.strip().lower()
    return word in ("on", "1") or (word != "" and ("true".startswith(word) or "yes".startswith(word)))


def split_path(text: str) -> tuple[str, ...]:
    """The schemas of a search_path: quotes as in SQL, what is not quoted in small letters."""
    found, rest = [], text.strip()
    while rest:
        if rest.startswith('"'):
            end = 1
            while (end := rest.find('"', end)) >= 0 and rest[end : end + 2] == '""':
                end += 2
            end = end if end >= 0 else len(rest)
            found.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].partition(",")[2].strip()
        else:
            name, _, rest = rest.partition(",")
            found, rest = [*found, name.strip().lower()], rest.strip()
    return tuple(name for name in found if name)
