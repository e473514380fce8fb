"""The variables of the operator's environment that libpq would obey."""

from __future__ import annotations

import os

CERTIFICATES = frozenset({"PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLCERT", "PGSSLKEY"})
"""All that is taken from libpq's environment: whom to trust, and what proves who one is. Whatever else a session starts
with comes from the stack and the role alone, or the operator's environment would decide a verdict."""


_FORGOTTEN: dict[str, str] = {}


def is_libpqs(variable: str) -> bool:
    """Whether libpq would take something from it that it is not to have."""
    if variable in CERTIFICATES or variable == "PGBIN":
        return False
    return variable == "PGCONNECT_TIMEOUT" or (variable.startswith("PG") and "_" not in variable)


def forget_libpqs() -> None:
    """Takes libpq's variables out of this process's environment, before there is any other thread.

    libpq reads them whenever a connection is begun, and an empty parameter is to it as none.
    """
    _FORGOTTEN.update((name, os.environ.pop(name)) for name in [*os.environ] if is_libpqs(name))


def given_environment() -> dict[str, str]:
    """The environment as this process was given it."""
    return {**_FORGOTTEN, **os.environ}
