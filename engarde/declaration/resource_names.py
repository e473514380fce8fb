"""Names of resources and logins: with their database and server, in the tool, and in the stack file."""

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
    """A part of a name, in quotes as in SQL if it could be read as more than one part."""
    # Without quotes, USAGE of service `a` on a schema `connect` and CONNECT of service `a-usage` would get one name.
    if part == CONNECT or _JOINTS & set(part):
        return '"' + part.replace('"', '""') + '"'
    return part


def in_database(name: str, database: DatabaseStack) -> str:
    if database.label is None:
        return name
    return f"{name}-{'on' if database.elsewhere else 'in'}-{quoted(database.label)}"


def on_server(name: str, database: DatabaseStack) -> str:
    """The name of something that the database's server has only once for all of its databases."""
    return in_database(name, database) if database.elsewhere else name


def base_name(name: str) -> str:
    return _PLACE.sub("", name)


def is_in(name: str, database: DatabaseStack) -> bool:
    return name == in_database(base_name(name), database)


def is_on_server(name: str, database: DatabaseStack) -> bool:
    return name == on_server(base_name(name), database)


def place_of(database: DatabaseStack) -> tuple[str, bool] | None:
    """The database in the form of `database_label`."""
    return (database.label, database.elsewhere) if database.label else None


def database_label(name: str) -> tuple[str, bool] | None:
    """The database in a name, and whether it is on another server; None for the shared one."""
    place = name.removeprefix(base_name(name))
    if not place:
        return None
    label = place[len("-in-") :]
    return (label[1:-1].replace('""', '"') if label.startswith('"') else label), place.startswith("-on-")


SUFFIX = "-password"
"""The end of the name of a password's resource, after its login's name."""


def login_name(login: Service | Analytics) -> str:
    """The tool's name for a login, with which the names of its resources begin."""
    return login.name if isinstance(login, Service) else ANALYTICS


def logins_by_name(stack: Stack) -> dict[str, Service | Analytics]:
    """Every login of the stack, by the tool's name for it."""
    return {login_name(login): login for login in stack.logins}


def rotation_key(login: Service | Analytics) -> tuple[str, tuple[str, ...]]:
    """The section of the stack file with the login's counter, and the keys inside it."""
    return ("services", (login.name, "rotation")) if isinstance(login, Service) else (ANALYTICS, ("rotation",))


def lower_counters(stack: Stack, recorded: Mapping[str, int]) -> dict[str, str]:
    """Login whose counter is lower than in the state -> its place and both numbers; `recorded` are the state's."""
    found = {}
    for name, login in logins_by_name(stack).items():
        if login.rotation < recorded.get(name, 0):
            section, keys = rotation_key(login)
            place = join(f"{PROJECT}:{section}", *keys)
            found[name] = f"{place}: {login.rotation} in the stack file, {recorded[name]} in the state"
    return found


def refuse_lower(stack: Stack, lower: Collection[str]) -> None:
    """A login rotated from another stack file would be rotated again, and nobody would get the new URL.

    :param lower: the counters that are lower than the state's, as `lower_counters` tells them.
    :raises ConfigError: there are any.
    """
    if lower:
        raise ConfigError(
            f"{file_name(stack.name)} is older than the state, which has newer passwords. Nothing was changed.\n"
            f"{indented(lower)}\nTake the numbers from the branch or commit that has them, or set each to the number"
            " in the state"
        )
