"""From when on `bin/engarde status` calls something too much."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared

UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
"""As PostgreSQL spells and counts them [bytes]."""

_SIZE = re.compile(rf"(\d{{1,15}}) ?({'|'.join(UNITS)})", re.ASCII)


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = _SIZE.fullmatch(value)
    if parts is None:
        raise PydanticCustomError("size", "not a size")
    return int(parts[1]) * UNITS[parts[2]]


Size = Annotated[int, BeforeValidator(_bytes), Field(ge=1)]
Percent = Annotated[int, Field(ge=1, le=100)]


class Thresholds(Declared):
    """What is too much of one service; what is left out is nowhere too much."""

    size: Size | None = None
    """a size such as 500 MB or 10 GB, or a whole number of bytes: of all its tables, their indexes and TOAST"""
    connections: Percent | None = None
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
