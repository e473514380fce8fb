"""What resources and logins are called: with their database and server, by the tool, and in the stack file."""

import re
from collections.abc import Collection, Mapping

from engarde.declaration.model import Analytics, DatabaseStack, Service, Stack
from engarde.declaration.names import ANALYTICS
from engarde.declaration.stack_names import PROJECT, file_name
from engarde.declaration.validation import join
from engarde.errors import ConfigError
from engarde.util.terminal import indented

ADMIN = "admin"
"""The name of the admin's login, beside those of the stack's services."""
CONNECT = "connect"
_JOINTS = frozenset('-."')
_PLACE = re.compile(r"""-(?:in|on)-(?:[^-."]+|"(?:[^"]|"")*")$""")


def quoted(part: str) -> str:
    """A part of a name, in quotes as in SQL where it could be taken for more than one part."""
    # Bare, service `a` with USAGE on a schema `connect` would meet service `a-usage` with its CONNECT.
    if part == CONNECT or _JOINTS & set(part):
        return '"' + part.replace('"', '""') + '"'
    return part


def in_database(name: str, database: DatabaseStack) -> str:
    if database.label is None:
        return name
    return f"{name}-{'on' if database.elsewhere else 'in'}-{quoted(database.label)}"


def on_server(name: str, database: DatabaseStack) -> str:
    """The name of what the database's server has once for all of its databases."""
    return in_database(name, database) if database.elsewhere else name


def base_name(name: str) -> str:
    return _PLACE.sub("", name)


def is_in(name: str, database: DatabaseStack) -> bool:
    return name == in_database(base_name(name), database)


def is_on_server(name: str, database: DatabaseStack) -> bool:
    return name == on_server(base_name(name), database)


def place_of(database: DatabaseStack) -> tuple[str, bool] | None:
    """The database as `database_label` tells it."""
    return (database.label, database.elsewhere) if database.label else None


def database_label(name: str) -> tuple[str, bool] | None:
    """The database of which a name tells, and whether it is on another server; None for the shared one."""
    place = name.removeprefix(base_name(name))
    if not place:
        return None
    label = place[len("-in-") :]
    return (label[1:-1].replace('""', '"') if label.startswith('"') else label), place.startswith("-on-")


SUFFIX = "-password"
"""Of a password's resource, after the name of its login."""


def login_name(login: Service | Analytics) -> str:
    """What the tool calls a login, and its resources begin with."""
    return login.name if isinstance(login, Service) else ANALYTICS


def logins_by_name(stack: Stack) -> dict[str, Service | Analytics]:
    """Every login of the stack, by what the tool calls it."""
    return {login_name(login): login for login in stack.logins}


def rotation_key(login: Service | Analytics) -> tuple[str, tuple[str, ...]]:
    """The section of the stack file in which its counter stands, and the keys inside."""
    return ("services", (login.name, "rotation")) if isinstance(login, Service) else (ANALYTICS, ("rotation",))


def lower_counters(stack: Stack, recorded: Mapping[str, int]) -> dict[str, str]:
    """Login -> where its counter stands that is lower than the state's, and both; `recorded` are the state's."""
    found = {}
    for name, login in logins_by_name(stack).items():
        if login.rotation < recorded.get(name, 0):
            section, keys = rotation_key(login)
            place = join(f"{PROJECT}:{section}", *keys)
            found[name] = f"{place}: {login.rotation} here, {recorded[name]} in the state"
    return found


def refuse_lower(stack: Stack, lower: Collection[str]) -> None:
    """What was rotated from another stack file would be rotated once more, and nobody handed the new URL.

    :param lower: the counters that are lower than the state's, as `lower_counters` tells them.
    :raises ConfigError: there are any.
    """
    if lower:
        raise ConfigError(
            f"{file_name(stack.name)} is older than the state, which knows later passwords; nothing was changed:\n"
            f"{indented(lower)}\nTake the numbers from the branch or the commit that has them, or set each to the"
            " state's"
        )
