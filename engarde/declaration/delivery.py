"""Which Railway services get a login's URLs, and in which variables."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from engarde.declaration.declared import Declared, EachOnce, UrlFormat
from engarde.declaration.names import DatabaseName

DATABASE_URL = "DATABASE_URL"

RailwayName = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f](.*[^\s\x00-\x1f])?$", max_length=200)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]


def _one_or_more(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    # Strict validation takes lists only straight from JSON, not from what a validator hands on.
    return tuple(value) if isinstance(value, list) else value


class Railway(Declared):
    """The project and the environment in which the services run."""

    project: RailwayName
    """the project's name or its id"""
    environment: RailwayName
    """the environment's name, as Railway spells it"""


class Variable(Declared):
    """One variable that holds a URL of a login."""

    url_format: UrlFormat | None = None
    """the form of its URL; default: the urlFormat of the login"""
    unpooled: bool = False
    """true or false: whether it leads to engarde:unpooledAddress, past a pooler"""
    database: DatabaseName | None = None
    """of analytics: the database of a service to which it leads; default: the shared one"""


class Delivery(Declared):
    """Where a login's URLs go."""

    service: Annotated[EachOnce[RailwayName], BeforeValidator(_one_or_more)] | None = None
    """the name of a Railway service, or a list of names; none for an empty list; default: the name of the service"""
    variables: Annotated[dict[VariableName, Variable], Field(min_length=1)] = Field(
        default_factory=lambda: {DATABASE_URL: Variable()}
    )
    """variable: urlFormat and unpooled"""

    def services(self, default: str | None) -> tuple[str, ...]:
        """The names on Railway; `default` where the stack file states none."""
        if self.service is not None:
            return self.service
        return (default,) if default else ()


UNSTATED = Delivery()
