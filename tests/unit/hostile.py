"""Names that a terminal obeys or hides, and what tells whether a text still holds such a character."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

NAMES = (
    "\x1b[2J\x1b[H\x1b[32mall is well",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x/\x1b\\link",
    "\x1bP\x1b\\",
    "bell\x07",
    "back\x08\x08\x08\x08space",
    "carriage\rreturn",
    "line\nfeed",
    "\r\n",
    "tab\tulator",
    "\v\f\x1c\x1d\x1e\x1f",
    "del\x7f",
    "\x9b2J",
    "\x9d0;title\x9c",
    "\x85next",
    "\u202egnp.exe",
    "\u2066\u2067\u2068\u2069",
    "\u202a\u202b\u202c\u202d",
    "\u200e\u200f\u061c",
    "a\u200bb\u200cc\u200dd",
    "\ufeffbom",
    "soft\xadhyphen",
    "no\xa0break\u3000space",
    "tag\U000e0001\U000e0061\U000e007f",
    "line\u2028separator\u2029",
    "\u2060\u2061\u2062\u2063\u2064",
    "\ufff9\ufffa\ufffb",
    "\ue000private\U0010fffd",
    "\ufdd0\ufffe\U0001ffff\U0010ffff",
    "\u0378unassigned",
    "z" + "\u0301\u0336\u20dd" * 6,
    "\u0338mark first",
    "variation\ufe0f\U000e0100",
    "\u3164\u115f\u1160\uffa0\u2800\u034f",
    "\u0600\u06dd\U000110bd",
    "\U0001d173\U0001bca0",
    'quo"te\x1b',
    "apos'trophe\x1b",
    "back\\slash\x1b\\001B",
    "\\001B is spelled out",
    "$$dollar\x07$$",
    "--comment\n; DROP TABLE x; --",
    "/*\x1b*/",
    '";\x1b',
    "%s {} [bold]\x1b[/bold] [link=x] :bomb:",
    "\U000e0041" * 15,
    "\x01" * 63,
    "é" * 31,
    "e\u0301\u0302 Zu\u0308rich",
    "\u05d0\u05d1\u0627\u0628",
)
"""Each of them is one that PostgreSQL takes, of at most 63 bytes."""

KINDS = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# Fillers, blanks and selectors are of other categories.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufe0f\U000e0100")

names = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
    st.text(st.sampled_from("\x1b\x07\x08\r\n\x9b\u202e\u200b\U000e0041\u0301\"'\\$a0 "), min_size=1),
)
"""What an object of a database can be called, but for its length."""


def hidden(text: str, keep: str = "") -> set[str]:
    """The characters of the text that a terminal would obey or hide."""
    odd = {each for each in text if unicodedata.category(each) in KINDS or each in BLANK}
    return odd - set(keep)
