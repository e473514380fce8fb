"""Makes readable what a terminal would obey, or would show as nothing."""

import unicodedata
from collections.abc import Callable

BREAKS = "\n\t"
"""What a text of several lines keeps."""

MARKS = 3
"""How many marks one letter keeps: scripts have as many, and a pile of them hides the lines around it."""

# No control or format character by its category, and shown as nothing all the same.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def visible(text: str, keep: str = "") -> str:
    r"""The text with such characters as Python writes them: `\n`, `\x1b`, `\u202e`.

    It is for reading: a name that holds `\x1b` spelled out looks the same. What is copied is quoted (`quoting`).
    """
    return written(text, lambda character: character.encode("unicode_escape").decode(), keep)


def written(text: str, spell: Callable[[str], str], keep: str = "") -> str:
    """The text with each such character as `spell` writes it, but for those to `keep`.

    Such are control and format characters, separators of lines and words but for the space, surrogates, what is private
    or unassigned, blanks, and marks without a letter or piled upon one.
    """
    if text.isascii() and text.isprintable():
        return text
    found, marks = [], MARKS
    for character in text:
        kind = unicodedata.category(character)[0]
        marks = marks + 1 if kind == "M" else 0 if kind in "LN" else MARKS
        if character in keep:
            found.append(character)
        elif not character.isprintable() or character in _BLANK or marks > MARKS:
            marks = MARKS
            found.append(spell(character))
        else:
            found.append(character)
    return "".join(found)
