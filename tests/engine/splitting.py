"""`bin/engarde split` on a test's stack: a service with something of everything, and what becomes of it."""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import groupby
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from devtools.server import HOST
from engarde.declaration.declared import NOTHING
from tests.engine import backups, rich_schema, stopping
from tests.engine.database import Database, Session
from tests.engine.in_process import tool_here
from tests.engine.program import Project
from tests.engine.stopping import Moment
from tests.working import ANSWER, Working, connected, word
from tests.working import Session as AtWork

SERVICE, SCHEMA = backups.SERVICE, backups.SCHEMA
ROLE = f"{SERVICE}_user"
TARGET = "field notes"
STACK: dict[str, Any] = {
    "services": {SERVICE: {"schema": SCHEMA, "connectionLimit": 4}, "sankore": None},
    "extensions": dict.fromkeys(rich_schema.EXTENSIONS),
    "analytics": {},
}
Done = subprocess.CompletedProcess[str]


def split(project: Project, *words: str, code: int = 0, environment: Mapping[str, str] = NOTHING) -> Done:
    """Runs the command, which has to end so, and names no password."""
    return backups.tool(project, "split", *words, code=code, **environment)


def planned(project: Project, *words: str, code: int = 0) -> dict[str, Any]:
    """What `plan` says for machines."""
    done = split(project, "plan", *words, "--output", "json", code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def made(project: Project) -> None:
    """Brings the stack up, with something of everything in the service's schema."""
    project.succeeds(project.up())
    with project.connect(SERVICE) as session:
        rich_schema.make(session, project.database.major)


def needs_superuser(project: Project) -> bool:
    """Whether the admin alone cannot make a database for itself."""
    return project.database.major < 15 and not project.database.admin.superuser


class Writer(Working):
    """A service at work: it remembers each insert that was acknowledged, and where, and tries everywhere for ever."""

    grace = ANSWER
    """so that no row is there that it could not remember"""

    def __init__(self, project: Project, *places: tuple[Database, str]) -> None:
        super().__init__()
        self.acknowledged: list[tuple[int, str]] = []
        """by the place's number"""
        login = f"{ROLE}:{project.outputs()['passwords'][ROLE]}"
        self._urls = [f"postgresql://{login}@{HOST}:{each.server.port}/{quote(name)}" for each, name in places]

    def begun(self) -> None:
        self.waits(20)

    def waits(self, more: int) -> None:
        """Until so many more are acknowledged."""
        wanted, end = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert self.working and time.monotonic() < end
            time.sleep(0.02)

    @property
    def words(self) -> list[str]:
        """All that has to be there, each once."""
        return sorted(word for _, word in self.acknowledged)

    @property
    def ways(self) -> list[int]:
        """The places one after another: a place that comes twice was written to while another one was."""
        return [place for place, _ in groupby(place for place, _ in self.acknowledged)]

    async def work(self) -> None:
        while not self.over.is_set():
            for place, url in enumerate(self._urls):
                with suppress(psycopg.Error):
                    async with connected(url) as session:
                        await self._write(session, place)
            await asyncio.sleep(0.05)

    async def _write(self, session: AtWork, place: int) -> None:
        for _ in range(100):
            if self.over.is_set():
                return
            new = word()
            await session.execute("INSERT INTO word (word) VALUES (%s)", [new])
            self.acknowledged.append((place, new))
            await asyncio.sleep(0.005)


def live(session: Session) -> list[str]:
    """What writers have written, as often as it is there."""
    return sorted(word for (word,) in session.execute("SELECT word::text FROM word WHERE word LIKE 'live %'"))


def tidied(session: Session) -> None:
    """Without what writers have written."""
    session.execute("DELETE FROM word WHERE word LIKE 'live %'")
    session.execute("SELECT setval('word_id_seq', 100)")


def stopped(project: Project, at: Moment, what: str, *words: str) -> Done:
    """Runs the command, and that happens to it before or after a function."""
    return stopping.stopped(project, at, what, "split", *words, **backups.clients(project))


def is_in(project: Project, database: str, other: str) -> None:
    """The service works there, and cannot enter the other database; everything is as declared."""
    with project.connect(SERVICE) as session:
        assert session.info.dbname == database
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        project.database.session(ROLE, project.outputs()["passwords"][ROLE], other)
    assert tool_here(project, "verify").returncode == 0
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}
    assert project.database.value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'engarde_split%'") == 0
