"""The statements of a dump's definitions, whatever the names and texts in them look like; and running them.

What the server does not know is left out, and it is told which one failed.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from engarde.server.copy_in import ROUTINES, NotRun, attempt
from engarde.server.session import Session

KNOWN = frozenset({"n_distinct", "n_distinct_inherited"})
"""What every release from 13 on lets one say of a column."""

UNKNOWN_OPTION = "22023"

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
            elif word == "ATOMIC" and before == "BEGIN" and "".join(kept).lstrip().startswith(ROUTINES):
                # Its body is statements, which no parentheses hold together.
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
    return frozenset(option["name"] for option in _OPTION.finditer(found["options"])) if found else frozenset()


def without(statement: str, names: Collection[str]) -> str:
    """The statement without these options of a column; nothing where no other is left."""
    found = _OF_COLUMN.fullmatch(statement)
    if not found:
        return statement
    kept = [option[0] for option in _OPTION.finditer(found["options"]) if option["name"] not in names]
    return f"{found['start']} ({', '.join(kept)})" if kept else ""


def run(asked: Session, what: str, statements: Iterable[str]) -> None:
    """Runs them in this order; `what` says in an error which ones they are.

    :raises NotRun: the server does not run one of them.
    """
    known, unknown = set(KNOWN), set[str]()
    waiting: list[str] = []
    for statement in statements:
        named = options(statement)
        for name in sorted(named - known - unknown):
            _together(asked, what, waiting)
            waiting = []
            (known if _takes(asked, without(statement, named - {name})) else unknown).add(name)
        if left := without(statement, unknown):
            waiting.append(left)
    _together(asked, what, waiting)


def _takes(asked: Session, statement: str) -> bool:
    """Whether the server knows the option that the statement sets; it is done then."""
    try:
        attempt(asked, "an option of a column", statement)
    except NotRun as refusal:
        if refusal.sqlstate == UNKNOWN_OPTION:
            return False
        raise
    return True


def _together(asked: Session, what: str, statements: list[str]) -> None:
    """One message for all, since a server may be far away; where one fails they are run one by one, to tell which."""
    if not statements:
        return
    try:
        attempt(asked, what, ";\n".join(statements))
    except NotRun:
        for statement in statements:
            attempt(asked, what, statement)
