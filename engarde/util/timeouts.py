"""How long anything may take: one table, from which every session and every wait has its limit."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from engarde.errors import ConfigError

VARIABLE = "ENGARDE_TIMEOUTS"
"""Sets other limits, as in `look.statement=300,connect=5`: for a slow server, and for tests."""

Kind = Literal["look", "change", "copy"]
"""What a session is for: it reads catalogs, it changes something small, or it reads or writes a service's rows."""

DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        # A connection, until the login is answered.
        "connect": 15,
        # Without a word from the server, before a second connection asks whether it is still at work.
        "silence": 30,
        # How much later than its own limit the server may answer, before the session is given up.
        "answer": 10,
        # In the server: one statement, one lock, and a transaction for which nothing is asked.
        "look.statement": 60,
        "look.lock": 5,
        "look.idle": 300,
        "change.statement": 60,
        "change.lock": 10,
        "change.idle": 45,
        "copy.statement": 6 * 60 * 60,
        "copy.lock": 60,
        "copy.idle": 45,
        # Between two looks at who is in the way of Pulumi or a migration; who is in it at two of them is named.
        "watch": 2.5,
        # A migration is ended: somebody was in its way for so long, or it had no session on the server. Pulumi's
        # sessions have limits of their own.
        "blocked": 120,
        "gone": 300,
        # A service's own env.py, to be loaded or run without a database.
        "alembic": 60,
        # Pulumi: a question about a stack, a preview, and without a word of `up`; then until it has ended by itself,
        # and without its plugins.
        "pulumi.ask": 120,
        "pulumi.preview": 15 * 60,
        "pulumi.silence": 15 * 60,
        "pulumi.end": 30,
        "pulumi.kill": 10,
        # In the server: one statement of the provider's, and one lock.
        "pulumi.statement": 10 * 60,
        "pulumi.lock": 60,
        # pg_dump: without a word or a byte, while none of its sessions is at work; and between two looks at it.
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
