"""How the names of resources tell in which database, and on which server, each is."""

from __future__ import annotations

import re

from engarde.declaration.model import DatabaseStack

CONNECT = "connect"
_JOINTS = frozenset('-."')
_PLACE = re.compile(r"""-(?:in|on)-(?:[^-."]+|"(?:[^"]|"")*")$""")


def quoted(part: str) -> str:
    """A part of a name, in quotes as in SQL where it could be taken for more than one part."""
    # Bare, service `a` with USAGE on a schema `connect` would meet service `a-usage` with its CONNECT.
    if part == CONNECT or _JOINTS & set(part):
        return '"' + part.replace('"', '""') + '"'
    return part


def placed(name: str, database: DatabaseStack) -> str:
    """The name of what is in the database."""
    if database.label is None:
        return name
    return f"{name}-{'on' if database.elsewhere else 'in'}-{quoted(database.label)}"


def placed_on_server(name: str, database: DatabaseStack) -> str:
    """The name of what the database's server has once for all of its databases."""
    return placed(name, database) if database.elsewhere else name


def base_of(name: str) -> str:
    """The name without its place."""
    return _PLACE.sub("", name)


def is_in(name: str, database: DatabaseStack) -> bool:
    """Whether it is the name of something in the database."""
    return name == placed(base_of(name), database)


def is_on_server(name: str, database: DatabaseStack) -> bool:
    """Whether it is the name of something that the database's server has once."""
    return name == placed_on_server(base_of(name), database)


def place_of(database: DatabaseStack) -> tuple[str, bool] | None:
    """The database as `label_of` tells it."""
    return (database.label, database.elsewhere) if database.label else None


def label_of(name: str) -> tuple[str, bool] | None:
    """The database of which a name tells, and whether it is on another server; None for the shared one."""
    place = name.removeprefix(base_of(name))
    if not place:
        return None
    label = place[len("-in-") :]
    return (label[1:-1].replace('""', '"') if label.startswith('"') else label), place.startswith("-on-")
