"""The statements of a dump's definitions, each by itself, whatever the names and texts in them look like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_TOKENS = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<text>"(?:[^"]|"")*" | [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<word>[\w$]+)
    | (?P<sign>[();])
    | [^\w$"'();-]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
"""As the server reads them with standard_conforming_strings; a dump holds no other comments."""

_ROUTINE = re.compile(r"CREATE (FUNCTION|PROCEDURE) ")
"""Its body may be statements, which no parentheses hold together."""

_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_FOREIGN_KEY = re.compile(
    rf"ALTER TABLE (?:ONLY )?{_NAME}\.{_NAME}\s+ADD CONSTRAINT {_NAME}"
    rf" FOREIGN KEY \({_NAME}(?:, (?:PERIOD )?{_NAME})*\) REFERENCES ({_NAME}\.{_NAME})\("
)
_OF_COLUMN = re.compile(
    rf"(?P<start>ALTER (?:FOREIGN )?TABLE ONLY {_NAME}\.{_NAME} ALTER COLUMN {_NAME} SET) \((?P<options>.*)\)",
    re.DOTALL,
)
_OPTION = re.compile(r"(?P<name>\w+)=(?:'(?:[^']|'')*'|[^,]*)")


def split(script: str) -> Iterator[str]:
    """Each statement, without the semicolon and the comments around it."""
    kept: list[str] = []
    parentheses = blocks = 0
    before = ""
    for token in _TOKENS.finditer(script):
        if token["comment"]:
            continue
        if token["word"]:
            word = token["word"].upper()
            if blocks:
                blocks += (word == "CASE") - (word == "END")
            elif word == "ATOMIC" and before == "BEGIN" and _ROUTINE.match("".join(kept).lstrip()):
                blocks = 1
            before = word
        elif token["sign"]:
            parentheses += (token["sign"] == "(") - (token["sign"] == ")")
            if token["sign"] == ";" and not parentheses and not blocks:
                yield "".join(kept).strip()
                kept = []
                continue
        kept.append(token[0])
    if last := "".join(kept).strip():
        yield last


def referenced(statement: str) -> str | None:
    """The table that a foreign key leads to, as the statement names it; none where it makes none."""
    found = _FOREIGN_KEY.match(statement)
    return found[1] if found else None


def options(statement: str) -> frozenset[str]:
    """The names of the options that it gives a column."""
    found = _OF_COLUMN.fullmatch(statement)
    return frozenset(each["name"] for each in _OPTION.finditer(found["options"])) if found else frozenset()


def without(statement: str, names: Collection[str]) -> str:
    """The statement without these options of a column; nothing where no other is left."""
    found = _OF_COLUMN.fullmatch(statement)
    if not found:
        return statement
    kept = [each[0] for each in _OPTION.finditer(found["options"]) if each["name"] not in names]
    return f"{found['start']} ({', '.join(kept)})" if kept else ""
