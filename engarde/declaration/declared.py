"""What every declared thing has in common, and the plain values a stack file holds."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
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
    "jdbc",
]
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
DatabaseRight = Literal["CONNECT", "TEMPORARY", "CREATE"]
SchemaRight = Literal["USAGE", "CREATE"]

Port = Annotated[int, Field(ge=1, le=65535)]
ConnectionLimit = Annotated[int, Field(ge=1, le=100)]
Milliseconds = Annotated[int, Field(ge=0, le=2_147_483_647)]
Megabytes = Annotated[int, Field(ge=0, le=2_097_151)]
Rotation = Annotated[int, Field(ge=1)]
AdminHost = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=253)]
ServiceHost = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9._:-]+|\$\{\{[A-Za-z0-9._ -]+\}\})$", max_length=253)
]

ServerPlace = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+:[0-9]{1,5}/.+$", max_length=400)]
"""A database, as `HOST:PORT/DATABASE`."""

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
