"""What services and outside roles may read, and services may call, in other schemas of their database."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared, EachOnce
from engarde.declaration.names import RelationName, SchemaName, spelled, split_table


def _read_parts(value: Any) -> Any:
    """`public.users` or `{table: public.users, columns: [id]}` as schema, table and columns."""
    declared = {"table": value} if isinstance(value, str) else value
    if not isinstance(declared, dict) or not isinstance(declared.get("table"), str) or "schema" in declared:
        raise PydanticCustomError("read", "is not a table")
    parts = split_table(declared["table"])
    if parts is None:
        raise PydanticCustomError("read", "not of the form schema.table")
    # Strict validation takes lists only straight from JSON, not from what a validator hands on.
    columns = declared.get("columns")
    listed = {"columns": tuple(columns)} if isinstance(columns, list) else {}
    return {**declared, **listed, "schema": parts[0], "table": parts[1]}


class Read(Declared):
    """A table of another schema that a service may select from."""

    schema_: SchemaName = Field(alias="schema")
    table: RelationName
    columns: Annotated[EachOnce[RelationName], Field(min_length=1)] | None = None
    """the only readable columns; every column when unset"""
    references: bool = False
    """foreign keys may point at it, or at these columns of it"""

    def __str__(self) -> str:
        columns = f"({', '.join(self.columns)})" if self.columns else ""
        return f"{self.schema_}.{self.table}{columns}" + (" with references" if self.references else "")


DeclaredRead = Annotated[Read, BeforeValidator(_read_parts)]


_NAME = r'(?:"(?:[^"()]|"")+"|[^\W\d][\w$]*)'
_TYPE = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME}|(?:\s+[^\W\d]\w*)*)(?:\s*\[\s*\])*")
_TYPES = re.compile(rf"\s*(?:{_TYPE.pattern}\s*(?:,\s*{_TYPE.pattern}\s*)*)?")


def parts_of_function(text: str) -> tuple[str, str, str] | None:
    """Schema, name and the arguments' types of `schema.function(types)`; None if it has another form.

    More parentheses are not allowed: types have none in a signature, and the provider cuts names and types off there.
    """
    named, opened, types = text.partition("(")
    parts = split_table(named)
    if not opened or parts is None or not types.endswith(")") or not _TYPES.fullmatch(types[:-1]):
        return None
    return *parts, types[:-1].strip()


def _execute_parts(value: Any) -> Any:
    parts = parts_of_function(value) if isinstance(value, str) else None
    if parts is None:
        raise PydanticCustomError("execute", "not of the form schema.function(types)")
    return dict(zip(("schema", "function", "types"), parts, strict=True))


class Execute(Declared):
    """A function, procedure or aggregate of another schema that a service may call."""

    schema_: SchemaName = Field(alias="schema")
    function: RelationName
    types: str
    """of its arguments, which tell it from others of its name; spelled as in the stack file or as the server does"""

    @property
    def signature(self) -> str:
        return f"{self.function}({self.types})"

    def __str__(self) -> str:
        return f"{spelled(self.schema_, self.function)}({self.types})"


DeclaredExecute = Annotated[Execute, BeforeValidator(_execute_parts)]
