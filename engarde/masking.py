"""Takes passwords out of what is printed again."""

from __future__ import annotations

import re

MASK = "***"

# Greedy up to the last @ of the word: a password that was not encoded may hold one, too.
_IN_URL = re.compile(r"(://[^\s:/@]*:)\S*@")
_NAMED = re.compile(
    r"""((?:["']?)\b\w*(?:password|passwd|passphrase|pwd|secret|token|api_?key)\w*["']?\s*(?:[=:]|=>)\s*)"""
    r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&)}\]]+)""",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text with `***` for every password in a URL or after a word such as `password=`."""
    return _NAMED.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1{MASK}@", text))
