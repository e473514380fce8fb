"""What a service may call in other schemas of its database."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared
from engarde.declaration.names import RelationName, SchemaName, spelled, split_table

_NAME = r'(?:"(?:[^"()]|"")+"|[^\W\d][\w$]*)'
_TYPE = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME}|(?:\s+[^\W\d]\w*)*)(?:\s*\[\s*\])*")
_TYPES = re.compile(rf"\s*(?:{_TYPE.pattern}\s*(?:,\s*{_TYPE.pattern}\s*)*)?")


def parts_of(text: str) -> tuple[str, str, str] | None:
    """Schema, name and the arguments' types of `schema.function(types)`; None where it is none.

    Further parentheses are none of a type's in a signature, and the plugin cuts a name or a type off at one.
    """
    named, opened, types = text.partition("(")
    parts = split_table(named)
    if not opened or parts is None or not types.endswith(")") or not _TYPES.fullmatch(types[:-1]):
        return None
    return *parts, types[:-1].strip()


def _parts(value: Any) -> Any:
    parts = parts_of(value) if isinstance(value, str) else None
    if parts is None:
        raise PydanticCustomError("execute", "not of the form schema.function(types)")
    return dict(zip(("schema", "function", "types"), parts, strict=True))


class Execute(Declared):
    """A function, procedure or aggregate of another schema that a service may call."""

    schema_: SchemaName = Field(alias="schema")
    function: RelationName
    types: str
    """of its arguments, which tell it from others of its name: as the stack file has them, or as the server"""

    @property
    def signature(self) -> str:
        """Its name, bare, and the types."""
        return f"{self.function}({self.types})"

    def __str__(self) -> str:
        return f"{spelled(self.schema_, self.function)}({self.types})"


DeclaredExecute = Annotated[Execute, BeforeValidator(_parts)]
