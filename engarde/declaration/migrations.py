"""Where a service's Alembic migrations are, and how they are run."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared, EachOnce, UrlFormat
from engarde.declaration.delivery import DATABASE_URL, VariableName

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=4096)]


LIMITS = ("PGAPPNAME", "PGCONNECT_TIMEOUT", "PGOPTIONS")
"""Variables by which `migrate` bounds and names the sessions of a driver that goes by libpq's."""


def _not_the_tools(name: str) -> str:
    if name in LIMITS:
        raise PydanticCustomError("tools", "names what `migrate` sets itself, for the limits of its sessions")
    return name


def _not_the_operators(name: str) -> str:
    if name.startswith(("PULUMI_", "RAILWAY_")):
        raise PydanticCustomError("operators", "names what opens the state or Railway, which no service's code gets")
    return name


Own = Annotated[VariableName, AfterValidator(_not_the_tools)]
Inherited = Annotated[Own, AfterValidator(_not_the_operators)]


class Migrations(Declared):
    """A service's Alembic project."""

    path: Text
    """the folder with its alembic.ini or pyproject.toml, seen from the stack file's"""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] = ("alembic",)
    """a list: the program that is Alembic there and its first arguments, such as [uv, run, alembic]"""
    variable: Own = DATABASE_URL
    """the environment variable from which it takes its URL"""
    url_format: UrlFormat | None = None
    """the form of that URL; default: the service's urlFormat"""
    environment: EachOnce[Inherited] = ()
    """names of variables that it gets from the operator's environment beside the usual ones"""
