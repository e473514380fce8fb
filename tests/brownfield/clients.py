"""The clients of day zero at work, and everything that they were refused."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from engarde.util.masking import masked
from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import CLIENTS, Client
from tests.working import Working, connected, word

WORKS_EVERY = 0.05
CONNECTS_EVERY = 0.5
"""Seconds."""

START_LIMIT = 30.0
"""Until all are at work (seconds)."""

CONNECT, HOLD = "connect", "hold a session"
"""What is refused where it is no statement."""

ALIVE = "SELECT 1"
TABLES = """
SELECT oid::regclass::text FROM pg_class WHERE relname = %s AND relkind IN ('r', 'p') AND NOT relispartition
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """One statement or connection that failed."""

    client: str
    when: float
    """as `time.monotonic` has it (seconds)"""
    what: str
    """the statement, without its values, `CONNECT` or `HOLD`"""
    sqlstate: str
    """empty where it was not the server that refused, or not for long enough to be asked again"""
    text: str
    """what was said, without secrets"""


class Clients(Working):
    """All of `CLIENTS` while it is entered: sessions that are kept, and a new connection of each again and again.

    :param url: what a client's URL is at the moment, by its name; asked before each connection. None for the one that
        it had when day zero began.
    """

    def __init__(self, zero: DayZero, url: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self.refused: list[Refused] = []
        self.acknowledged: dict[str, list[str]] = {client.name: [] for client in CLIENTS if client.table}
        """the word of each row, by client"""
        self._zero = zero
        self._url = url or zero.url
        self._let_in: set[tuple[str, int]] = set()

    def begun(self) -> None:
        end = time.monotonic() + START_LIMIT
        while len(self._let_in) < sum(_sessions(client) for client in CLIENTS):
            assert self.working and time.monotonic() < end, self.refused
            time.sleep(0.02)

    def by(self, *clients: str) -> list[Refused]:
        """What these were refused."""
        return [each for each in self.refused if each.client in clients]

    def lost(self) -> dict[str, list[str]]:
        """The words of acknowledged rows that are not there just once, by client, in whatever schema its table is."""
        found = {}
        for client in (each for each in CLIENTS if each.table):
            tables = [table for (table,) in self._zero.database.rows(TABLES, client.table)]
            there = Counter(note for each in tables for (note,) in self._zero.database.rows(f"SELECT note FROM {each}"))
            if lost := [each for each in self.acknowledged[client.name] if there[each] != 1]:
                found[client.name] = lost
        return found

    async def work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for client in CLIENTS:
                for number in range(_sessions(client)):
                    group.create_task(self._stay(client, number))
                if client.looks:
                    group.create_task(self._come_again(client))

    async def _stay(self, client: Client, number: int) -> None:
        """One session for as long as it lasts, then another."""
        works = bool(client.work) and number == 0
        what, statement, every = (client.work, client.work, WORKS_EVERY) if works else (HOLD, ALIVE, CONNECTS_EVERY)
        while True:
            with self._noted(client, CONNECT):
                async with connected(self._url(client.name)) as session:
                    self._let_in.add((client.name, number))
                    while not session.closed:
                        with self._noted(client, what):
                            new = [word()] if works and client.table else []
                            await session.execute(statement.encode(), new or None)
                            if new:
                                self.acknowledged[client.name] += new
                        await asyncio.sleep(every)
            await asyncio.sleep(CONNECTS_EVERY)

    async def _come_again(self, client: Client) -> None:
        while True:
            with self._noted(client, CONNECT):
                async with connected(self._url(client.name)) as session:
                    with self._noted(client, client.looks):
                        await session.execute(client.looks.encode())
            await asyncio.sleep(CONNECTS_EVERY)

    @contextmanager
    def _noted(self, client: Client, what: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = " ".join((error.diag.message_primary or str(error)).split())
            text = masked(said, *self._zero.passwords.values())
            self.refused.append(Refused(client.name, time.monotonic(), what, error.sqlstate or "", text))


def _sessions(client: Client) -> int:
    return bool(client.work) + client.idle
