"""Takes the constants out of a statement's text, which may be anybody's data or a password."""

from __future__ import annotations

import re

MASK = "?"
LONGEST = 500
"""Of a text that is printed [characters]."""

# What was cut off in its middle is a constant to its end.
_TOKENS = re.compile(
    r"""
      (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z))
    | (?P<text>'(?:[^']|'')*(?:'|\Z))
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<number>(?<![\w$.])\.?\d[\w.]*)
    """,
    re.VERBOSE | re.DOTALL,
)


def one_line(query: str | None) -> str | None:
    """The text on one line, every constant a question mark and every comment gone."""
    if query is None:
        return None
    text = " ".join(_TOKENS.sub(_masked, query).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _masked(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "name":
            return token[0]
        case "comment":
            return " "
    return MASK
