"""Where a service's Alembic migrations are, and how they are run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from engarde.declared import Declared, UrlFormat
from engarde.delivery import DATABASE_URL, VariableName

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=4096)]


class Migrations(Declared):
    """A service's Alembic project."""

    path: Text
    """the folder with its alembic.ini or pyproject.toml, seen from the stack file's"""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] = ("alembic",)
    """a list: the program that is Alembic there and its first arguments, such as [uv, run, alembic]"""
    variable: VariableName = DATABASE_URL
    """the environment variable from which it takes its URL"""
    url_format: UrlFormat | None = None
    """the form of that URL; default: the service's urlFormat"""
