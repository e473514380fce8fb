"""Names and texts as SQL has them."""

from __future__ import annotations

from typing import LiteralString

from psycopg.sql import SQL, Identifier, Literal


def quoted(*names: str) -> str:
    """Names joined with dots, as SQL has them."""
    return Identifier(*names).as_string(None)


def literal(text: str) -> str:
    """A text, as SQL has it."""
    return Literal(text).as_string(None)


def statement(template: LiteralString, *names: str) -> str:
    """A statement for a person to run, with these identifiers quoted where they need it."""
    return SQL(template).format(*map(Identifier, names)).as_string(None) + ";"
