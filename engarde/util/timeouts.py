"""How long anything may take: one table, from which every session and every wait has its limit."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from engarde.errors import ConfigError

VARIABLE = "ENGARDE_TIMEOUTS"
"""Sets other limits, as in `look.statement=300,connect=5`: for a slow server, and for tests."""

Kind = Literal["look", "change", "copy"]
"""What a session does: it reads catalogs, changes something small, or reads or writes a service's rows."""

DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        # A connection, until the login is answered.
        "connect": 15,
        # Without an answer, until a second connection asks whether the server still works on it.
        "silence": 30,
        # How long after its own limit the server may answer before the connection is closed.
        "answer": 10,
        # In the server: one statement, one lock, and a transaction without a query.
        "look.statement": 60,
        "look.lock": 5,
        "look.idle": 300,
        "change.statement": 60,
        "change.lock": 10,
        "change.idle": 45,
        "copy.statement": 6 * 60 * 60,
        "copy.lock": 60,
        "copy.idle": 45,
        # Between two looks for sessions that block Pulumi or a migration; one that blocks at two looks is named.
        "watch": 2.5,
        # A migration is stopped if it was blocked for so long, or had no session on the server. Pulumi's sessions have
        # limits of their own.
        "blocked": 120,
        "gone": 300,
        # A service's own env.py, to be loaded or run without a database.
        "alembic": 60,
        # Pulumi: a command that reads the state, a preview, and `up` without output; then until it has ended by itself,
        # and without its providers.
        "pulumi.ask": 120,
        "pulumi.preview": 15 * 60,
        "pulumi.silence": 15 * 60,
        "pulumi.end": 30,
        "pulumi.kill": 10,
        # In the server: one statement of the provider, and one lock.
        "pulumi.statement": 10 * 60,
        "pulumi.lock": 60,
        # pg_dump: without output, while none of its sessions works; and between two looks at it.
        "dump.silence": 60,
        "dump.pulse": 15,
        # Railway: one request, to the last byte of its answer, and how long it is repeated while Railway is busy.
        "railway.request": 45,
        "railway.patience": 60,
    }
)
"""Seconds."""


def seconds(name: str) -> float:
    """The limit of this name, as the environment or the table has it.

    :raises ConfigError: the environment names a limit that does not exist, or no number of seconds.
    """
    return _overridden().get(name, DEFAULTS[name])


def _overridden() -> Mapping[str, float]:
    found = {}
    for part in filter(None, os.environ.get(VARIABLE, "").split(",")):
        name, _, value = part.strip().partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = 0.0
        if name not in DEFAULTS or not 0.1 <= found[name] <= 7 * 24 * 60 * 60:
            raise ConfigError(
                f"{VARIABLE}: {part.strip()!r} is not a limit. Write NAME=SECONDS, from 0.1 to 604800, separated by"
                f" commas; the names are {', '.join(DEFAULTS)}"
            )
    return found
