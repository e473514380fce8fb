"""Connections to the server, and the limits on waiting for an answer."""

import os
import time
from contextlib import closing
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from engarde.errors import LoginRefused
from engarde.server.credentials import Access, connect_timeout
from engarde.util import timeouts
from engarde.util.timeouts import Kind

WATCHED = "keepalives_idle=10 keepalives_interval=5 keepalives_count=4"
"""How libpq notices within half a minute that a peer is gone."""

UNACKNOWLEDGED = "tcp_user_timeout=30000"
"""The same for what was sent; not for a copy, because it also ends the connection to a server that takes no rows for so
long, as in a trigger or on a slow disk."""

WITHIN = 0.1
"""How often a wait checks the clock and for an interrupt [seconds]."""

MARK = " /* engarde */"
"""Ends each statement of the tool, to tell it from those of the role that it logs in as.

PostgreSQL 18 would drop it at the start. It does not end COMMIT and the like: from 16 on, the server counts those of
all sessions of a role as one statement, and keeps the text of the first.
"""

Value = TypeVar("Value")


class Connection(psycopg.Connection[Any]):
    """A connection that never waits forever for an answer.

    TCP does not notice a peer that acknowledges and sends nothing, or a byte every few seconds, or a connection that is
    cut off on one side only. An answer of which a part comes every second is on its way, however long it is.
    """

    access: Access | None = None
    """the login of a second connection that asks whether this one is still served; without it, nobody asks"""
    limit: float
    """of one answer [seconds]"""

    def wait(self, gen: PQGen[Value], interval: float = WITHIN, timeout: float | None = None) -> Value:
        """Waits as psycopg does, and gives up if the server no longer works on the answer."""
        return super().wait(self._watched(gen), interval, timeout)

    def _watched(self, gen: PQGen[Value]) -> PQGen[Value]:
        start, silence = time.monotonic(), timeouts.seconds("silence")
        ask_at, moved, suspected = start + silence, 0, False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now, moved = time.monotonic(), moved + bool(ready)
                if now - start > self.limit:
                    raise self._given_up(f"it did not answer within {self.limit:.0f} s")
                if self.access and now > ask_at:
                    reason = "" if moved > silence else _stalled(self.access, self.info.backend_pid)
                    if reason and suspected:
                        raise self._given_up(f"after {now - start:.0f} s without an answer, {reason}")
                    # What arrived while the second connection asked is read first.
                    suspected, moved, ask_at = bool(reason), 0, time.monotonic() + (1 if reason else silence)
                wanted = gen.send(ready)
        except StopIteration as done:
            value: Value = done.value
            return value

    def _given_up(self, reason: str) -> psycopg.OperationalError:
        self.close()
        return psycopg.OperationalError(reason)


def connect(access: Access, kind: Kind) -> Connection:
    """A connection that commits each statement, unless a transaction is begun.

    :raises LoginRefused: no answer, or the login was refused.
    """
    connection = _connect(access, kind)
    connection.access = access
    connection.limit += timeouts.seconds(f"{kind}.statement")
    return connection


def _connect(access: Access, kind: Kind) -> Connection:
    try:
        connection = Connection.connect(
            WATCHED if kind == "copy" else f"{WATCHED} {UNACKNOWLEDGED}",
            host=access.address.host,
            port=access.address.port,
            dbname=access.database,
            user=access.role,
            password=access.password,
            passfile=os.devnull,
            sslmode=access.address.sslmode or "prefer",
            connect_timeout=connect_timeout(),
            application_name="engarde",
            client_encoding="UTF8",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        raise LoginRefused(access.where, " ".join(str(error).split())) from None
    connection.limit = timeouts.seconds("answer")
    return connection


def _stalled(access: Access, process: int) -> str:
    """Why no answer will come, as a second connection finds out; empty if one may come."""
    try:
        with closing(_connect(access, "look")) as other:
            found = other.execute(
                "SELECT state, wait_event_type FROM pg_catalog.pg_stat_activity"
                f" WHERE pid OPERATOR(pg_catalog.=) %s{MARK}",
                [process],
            ).fetchone()
    except LoginRefused as refusal:
        # A refusal is an answer: a running service may use all connections of its role.
        return "" if "FATAL" in refusal.reason else f"a second connection fails: {refusal.reason}"
    except psycopg.OperationalError as error:
        return f"a second connection gets no answer either: {error}"
    # With a pooler, the process is another one; and the state of another role's session is hidden.
    if not found or found[0] is None:
        return ""
    state, waits_for = found
    if state == "active" and waits_for != "Client":
        return ""
    return "the server waits for the client, but nothing gets through"
