"""Quotes names and texts for SQL and for a shell."""

import re
import shlex
from collections.abc import Iterable
from typing import LiteralString

from psycopg.sql import SQL, Identifier, Literal

from engarde.util.terminal import BREAKS, visible, written

# A comment is a token, too, so that a quote in it begins nothing.
_TOKENS = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<unicode>(?<![\w$])[uU]&(?:"(?:[^"]|"")*"|'(?:[^']|'')*'))
    | (?P<name>"(?:[^"]|"")*")
    | (?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|''|\\.)*')
    | (?P<text>'(?:[^']|'')*')
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$(?P<dollar>.*?)\$(?P=tag)\$
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKENS_AND_ENDS = re.compile(rf"{_TOKENS.pattern}|(?P<end>;)", _TOKENS.flags)


def quoted(*names: str) -> str:
    """Names joined with dots, quoted for SQL; `regclass` and a search_path take them, too."""
    return Identifier(*names).as_string(None)


def literal(text: str) -> str:
    return Literal(text).as_string(None)


def statement(template: LiteralString, *names: str) -> str:
    """A statement for a person to run, with these identifiers quoted if necessary."""
    return printable(SQL(template).format(*map(Identifier, names)).as_string(None) + ";")


def script(statements: Iterable[str]) -> str:
    """Statements for a person to run in this order, a line each."""
    return "\n".join(f"{text};" for text in statements)


def annotated(sql: str, note: str) -> str:
    """The SQL with a note at the end of each statement; a semicolon in a name or a text does not end one."""
    statements = sql.rstrip().removesuffix(";")
    return _TOKENS_AND_ENDS.sub(lambda token: f"{note};" if token["end"] else token[0], statements) + note


def printable(sql: str, keep: str = "") -> str:
    r"""SQL that means the same and hides nothing: `U&"\202E"` for a name, `E'\u202E'` for a text.

    Both mean that whatever `standard_conforming_strings` is. Between names and texts, line ends stay; in texts, what is
    to be kept.
    """
    return visible(_TOKENS.sub(lambda token: _printable(token, keep), sql), keep=BREAKS)


def _printable(token: re.Match[str], keep: str) -> str:
    # Without a blank, the prefix would become a part of the word before it.
    apart = " " if re.match(r"[\w$]", token.string[token.start() - 1 : token.start()]) else ""
    match token.lastgroup:
        case "unicode":
            return written(token[0], _in_unicode)
        case "name":
            shown = written(token[0].replace("\\", "\\\\"), _in_unicode)
            return token[0] if visible(token[0]) == token[0] else f"{apart}U&{shown}"
        case "escaped":
            return written(token[0], _in_text, keep)
        case "text" | "dollar":
            if visible(token[0], keep) == token[0]:
                return token[0]
            body = token["text"][1:-1] if token["text"] else token["dollar"].replace("'", "''")
            return f"{apart}E'" + written(body.replace("\\", "\\\\"), _in_text, keep) + "'"
    return token[0]


def _in_unicode(character: str) -> str:
    number = ord(character)
    return f"\\{number:04X}" if number < 0x10000 else f"\\+{number:06X}"


def _in_text(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


def word(text: str) -> str:
    r"""A word of a shell's command, as `$'\342\200\256'` if it has invisible characters; bash, zsh, ksh read that."""
    if visible(text) == text:
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + written(escaped, _in_word) + "'"


def _in_word(character: str) -> str:
    # Three octal digits have a fixed length; after \x, shells take as many digits as there are.
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape"))
