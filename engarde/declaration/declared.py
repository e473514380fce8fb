"""What every declared thing has in common, and the values that a stack file states in several places."""

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
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""In place of a map that is left out."""

Item = TypeVar("Item", bound=str)


def _each_once(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) < len(items):
        raise PydanticCustomError("each_once", "holds the same twice")
    return items


EachOnce = Annotated[tuple[Item, ...], AfterValidator(_each_once)]
"""A list without repetition: each of its items is granted by a resource of its own, or stands in one grant."""


class Declared(BaseModel):
    """What a stack file states: frozen, no unknown key, no conversion, and no value in a message."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
"""As PostgreSQL spells and counts them [bytes]."""

_SIZE = re.compile(rf"(\d{{1,15}}) ?({'|'.join(UNITS)})", re.ASCII)


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = _SIZE.fullmatch(value)
    if parts is None:
        raise PydanticCustomError("size", "not a size")
    return int(parts[1]) * UNITS[parts[2]]


def of_bytes(number: int | None) -> str:
    """`12.3 GB`, for people to read."""
    if number is None:
        return "-"
    unit = next((name for name in reversed(UNITS) if number >= UNITS[name]), "B")
    return f"{number} B" if unit == "B" else f"{number / UNITS[unit]:.1f} {unit}"


Size = Annotated[int, BeforeValidator(_size), Field(ge=1)]


class Thresholds(Declared):
    """What is too much of one service; what is left out is nowhere too much."""

    size: Size | None = None
    """a size such as 500 MB or 10 GB, or a whole number of bytes: of all its tables, their indexes and TOAST"""
    connections: Annotated[int, Field(ge=1, le=100)] | None = None
    """1 to 100: percent of its role's connection limit that are in use"""
    slow_statement: Annotated[int, Field(ge=1)] | None = None
    """a whole number from 1: milliseconds that a statement takes in the mean"""

    def over(self, other: Thresholds) -> Thresholds:
        """These, and what they leave out from another."""
        left_out = [name for name in Thresholds.model_fields if getattr(self, name) is None]
        return self.model_copy(update={name: getattr(other, name) for name in left_out})


class StatusThresholds(Thresholds):
    """What is too much of every service that states nothing else, and of the whole server."""

    database_size: Size | None = None
    """a size such as 40 GB, or a whole number of bytes: of the whole database"""
    retained_wal: Size | None = None
    """a size such as 5 GB, or a whole number of bytes: of the WAL that is kept for an inactive replication slot"""
