"""What a service may select from, and point foreign keys at, in other schemas of its database."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared, EachOnce
from engarde.declaration.names import RelationName, SchemaName, split_table


def _read_parts(value: Any) -> Any:
    """`public.users` or `{table: public.users, columns: [id]}` as schema, table and columns."""
    declared = {"table": value} if isinstance(value, str) else value
    if not isinstance(declared, dict) or not isinstance(declared.get("table"), str) or "schema" in declared:
        raise PydanticCustomError("read", "not a table")
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
