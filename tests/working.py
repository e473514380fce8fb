"""Clients of a test's servers that work beside it, whatever becomes of their sessions."""

import asyncio
import secrets
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import asyncpg
import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.engine.program import conninfo

Session = psycopg.AsyncConnection[Any]

ANSWER = 30
"""Until a connection is there (seconds)."""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Session]:
    """A session by a URL of any form that is exported, which commits each statement.

    :raises psycopg.Error: as ever; that of a refused login has its SQLSTATE, too.
    """
    try:
        session = await Session.connect(conninfo(url), autocommit=True, connect_timeout=ANSWER)
    except psycopg.OperationalError as error:
        error.sqlstate = await _state(url, str(error))
        raise
    try:
        yield session
    finally:
        await session.close()


def word() -> str:
    """One of its kind, by which a row is found again."""
    return f"live {secrets.token_hex(8)}"


class Working:
    """Does its work in a thread of its own while it is entered; raises at its end what broke inside it."""

    grace = 0.0
    """how long the work may go on once it is over, before it is cancelled wherever it is (seconds)"""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    @property
    def working(self) -> bool:
        """False where something has broken, which the end raises."""
        return self._thread.is_alive()

    async def work(self) -> None:
        """What is done until it is cancelled."""
        raise NotImplementedError

    def begun(self) -> None:
        """Returns once it is really at work; what is raised here ends it."""

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.begun()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._thread.join()
        if self._broken:
            raise self._broken from error

    def _run(self) -> None:
        try:
            asyncio.run(self._until_over())
        except BaseException as error:
            self._broken = error

    async def _until_over(self) -> None:
        work = asyncio.create_task(self.work())
        while not self.over.is_set() and not work.done():
            await asyncio.sleep(0.02)
        await asyncio.wait([work], timeout=self.grace)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _state(url: str, said: str) -> str | None:
    """By which SQLSTATE a login is refused in these words; libpq keeps it to itself, asyncpg does not."""
    parts = conninfo_to_dict(conninfo(url))
    try:
        session = await asyncpg.connect(
            host=parts.get("host"),
            port=int(parts.get("port") or 5432),
            user=parts.get("user"),
            password=parts.get("password"),
            database=parts.get("dbname"),
            timeout=ANSWER,
        )
    except asyncpg.PostgresError as error:
        return str(error.sqlstate) if error.message in said else None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        return None
    # By now it is let in.
    session.terminate()
    return None
