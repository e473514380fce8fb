"""The error for an unknown name."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from engarde.errors import ConfigError
from engarde.util.terminal import first_few

SHOWN = 10
"""How many of the existing names are listed."""


class UnknownName(ConfigError):
    """An unknown name was given; the message lists the existing ones, the most similar first."""

    def __init__(self, where: str, kind: str, names: Sequence[str], there: Iterable[str]) -> None:
        listed = first_few(closest_first(names[0], there), SHOWN) or "none"
        super().__init__(f"{where} has no {kind} {' or '.join(names)}; it has {listed}")


def closest_first(name: str, there: Iterable[str]) -> list[str]:
    """The names, the most similar to this one first."""
    names = list(dict.fromkeys(there))
    by_lower = {known.lower(): known for known in names}
    near = [by_lower[lower] for lower in get_close_matches(name.lower(), by_lower, n=SHOWN)]
    return list(dict.fromkeys([*near, *names]))
