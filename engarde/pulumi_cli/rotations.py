"""The counters that make new passwords: those of the stack file against those of the state."""

from __future__ import annotations

from collections.abc import Mapping

from engarde.declaration.loader import PROJECT
from engarde.declaration.model import Analytics, Service, Stack
from engarde.declaration.names import ANALYTICS
from engarde.declaration.validation import join
from engarde.errors import ConfigError

SUFFIX = "-password"
"""Of a password's resource, after the name of its login."""


def called(login: Service | Analytics) -> str:
    """What the tool calls a login, and its resources begin with."""
    return login.name if isinstance(login, Service) else ANALYTICS


def place(login: Service | Analytics) -> tuple[str, tuple[str, ...]]:
    """The section of the stack file in which its counter stands, and the keys inside."""
    return ("services", (login.name, "rotation")) if isinstance(login, Service) else (ANALYTICS, ("rotation",))


def refuse_lower(stack: Stack, recorded: Mapping[str, int]) -> None:
    """What was rotated from another stack file would be rotated once more, and nobody handed the new URL.

    `recorded` are the state's counters by login.

    :raises ConfigError: a counter is lower than the state's.
    """
    lines = [line for login in stack.logins if (line := _lower(login, recorded.get(called(login), 0)))]
    if lines:
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml is older than the state, which knows later passwords; nothing was changed:\n"
            + "\n".join(f"  {line}" for line in lines)
            + "\nTake the numbers from the branch or the commit that has them, or set each to the state's"
        )


def _lower(login: Service | Analytics, recorded: int) -> str | None:
    if login.rotation >= recorded:
        return None
    section, keys = place(login)
    return f"{join(f'{PROJECT}:{section}', *keys)}: {login.rotation} here, {recorded} in the state"
