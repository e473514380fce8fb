"""The way in to the server, and the watch over every answer that is waited for."""

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
"""The same of what was sent to it; not of a copy: it also ends the connection of a server that takes no rows for so
long, as in a trigger or on a disk that stands still."""

WITHIN = 0.1
"""How often a wait looks at the clock, and lets an interrupt through [seconds]."""

MARK = " /* engarde */"
"""After each statement of ours: a role that we log in as has not asked it. In front of it, PostgreSQL 18 drops it.

Not after what ends a transaction or a part of one: from 16 on, the server counts that of all sessions of a role as one
statement, and keeps the text of the first.
"""

Value = TypeVar("Value")


class Connection(psycopg.Connection[Any]):
    """A connection that waits for no answer for ever.

    A peer that acknowledges and says nothing, a byte every few seconds, or one of two connections that is cut
    off: TCP notices none of these. An answer that comes in at least once a second is on its way, however long it is.
    """

    access: Access | None = None
    """as whom another connection asks whether this one's question is still being worked at; none asks without one"""
    limit: float
    """of one answer [seconds]"""

    def wait(self, gen: PQGen[Value], interval: float = WITHIN, timeout: float | None = None) -> Value:
        """Waits as psycopg does, and gives up once nobody is at work on the answer any more."""
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
                    # What has come while the other connection asked is read before the verdict.
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

    :raises LoginRefused: no answer, or the role was not let in.
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
    """Why no answer will come, as a connection of its own finds out; nothing where one may."""
    try:
        with closing(_connect(access, "look")) as other:
            found = other.execute(
                "SELECT state, wait_event_type FROM pg_catalog.pg_stat_activity"
                f" WHERE pid OPERATOR(pg_catalog.=) %s{MARK}",
                [process],
            ).fetchone()
    except LoginRefused as refusal:
        # Who refuses, answers: a live service may hold all the connections that its role has.
        return "" if "FATAL" in refusal.reason else f"a new connection finds nobody there: {refusal.reason}"
    except psycopg.OperationalError as error:
        return f"a new connection gets no answer, either: {error}"
    # A pooler's process is not ours, and somebody else's state cannot be seen.
    if not found or found[0] is None:
        return ""
    state, waits_for = found
    if state == "active" and waits_for != "Client":
        return ""
    return "the server waits for this end, and nothing comes through in between"
