"""The base of all declared models, and values that several sections of a stack file use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

UrlFormat = Literal[
    "plain",
    "options",
    "sqlalchemy+psycopg",
    "sqlalchemy+psycopg2",
    "sqlalchemy+asyncpg",
    "sqlalchemy+pg8000",
    "node-postgres",
    "prisma",
    "jdbc",
]
ASYNCHRONOUS_DRIVERS = frozenset({"asyncpg", "psycopg"})
"""Those that an asynchronous engine of SQLAlchemy takes; psycopg serves both kinds."""
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""Instead of a map that is left out."""

Item = TypeVar("Item", bound=str)


def _each_once(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) < len(items):
        raise PydanticCustomError("each_once", "has the same item twice")
    return items


EachOnce = Annotated[tuple[Item, ...], AfterValidator(_each_once)]
"""A list without repetition: each item becomes a resource of its own, or a part of one grant."""


class Declared(BaseModel):
    """A model of the stack file: frozen, no unknown keys, no conversion, and no values in messages."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
"""PostgreSQL's units of size [bytes]."""

_SIZE = re.compile(rf"(\d{{1,15}}) ?({'|'.join(UNITS)})", re.ASCII)


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = _SIZE.fullmatch(value)
    if parts is None:
        raise PydanticCustomError("size", "is not a size")
    return int(parts[1]) * UNITS[parts[2]]


def of_bytes(number: int | None) -> str:
    """`12.3 GB`, for people to read."""
    if number is None:
        return "-"
    unit = next((name for name in reversed(UNITS) if number >= UNITS[name]), "B")
    return f"{number} B" if unit == "B" else f"{number / UNITS[unit]:.1f} {unit}"


Size = Annotated[int, BeforeValidator(_size), Field(ge=1)]


class Thresholds(Declared):
    """Thresholds of one service; one that is left out is never exceeded."""

    size: Size | None = None
    """a size such as 500 MB or 10 GB, or a whole number of bytes: of all its tables, their indexes and TOAST"""
    connections: Annotated[int, Field(ge=1, le=100)] | None = None
    """1 to 100: percent of its role's connection limit that are in use"""
    slow_statement: Annotated[int, Field(ge=1)] | None = None
    """a whole number from 1: mean milliseconds of a statement"""

    def over(self, other: Thresholds) -> Thresholds:
        """These, and what they leave out from another."""
        left_out = [name for name in Thresholds.model_fields if getattr(self, name) is None]
        return self.model_copy(update={name: getattr(other, name) for name in left_out})


class StatusThresholds(Thresholds):
    """The default thresholds of all services, and those of the whole server."""

    database_size: Size | None = None
    """a size such as 40 GB, or a whole number of bytes: of the whole database"""
    retained_wal: Size | None = None
    """a size such as 5 GB, or a whole number of bytes: of the WAL that is kept for an inactive replication slot"""
