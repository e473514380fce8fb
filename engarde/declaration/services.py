"""Services by the names that an operator gives them."""

from __future__ import annotations

from collections.abc import Sequence

from engarde.declaration.model import Service, Stack
from engarde.errors import ConfigError


def services_of(stack: Stack, names: Sequence[str]) -> list[Service]:
    """The declared services of these names, each once.

    :raises ConfigError: there is none of a name.
    """
    found = {each.name: each for each in stack.services}
    if unknown := sorted(set(names) - found.keys()):
        raise ConfigError(f"no service of stack {stack.name}: {', '.join(unknown)}; it has {', '.join(found)}")
    return [found[name] for name in dict.fromkeys(names)]


def service_of(stack: Stack, name: str) -> Service:
    """The declared service of this name.

    :raises ConfigError: there is none.
    """
    [found] = services_of(stack, [name])
    return found
