"""`bin/engarde split` on a test's stack: a service with something of everything, and what becomes of it."""

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import groupby
from typing import Any

import psycopg
import pytest

from engarde.engine import NOTHING
from tests.engine import backups, rich_schema, stopping
from tests.engine.database import Database, Session
from tests.engine.program import Project
from tests.engine.stopping import Moment

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
    project.declare(**STACK)
    project.succeeds(project.up())
    with project.connect(SERVICE) as session:
        rich_schema.make(session, project.database.major)


def needs_superuser(project: Project) -> bool:
    """Whether the admin alone cannot make a database for itself."""
    return project.database.major < 15 and not project.database.admin.superuser


class Writer:
    """A service at work: it remembers each insert that was acknowledged, and where, and tries everywhere for ever."""

    def __init__(self, project: Project, *places: tuple[Database, str]) -> None:
        self.acknowledged: list[tuple[int, str]] = []
        """by the place's number"""
        self._password = project.outputs()["passwords"][ROLE]
        self._places = places
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Writer":
        self._thread.start()
        self.waits(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def waits(self, more: int) -> None:
        """Until so many more are acknowledged."""
        wanted, end = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < end
            time.sleep(0.02)

    @property
    def words(self) -> list[str]:
        """All that has to be there, each once."""
        return sorted(word for _, word in self.acknowledged)

    @property
    def ways(self) -> list[int]:
        """The places one after another: a place that comes twice was written to while another one was."""
        return [place for place, _ in groupby(place for place, _ in self.acknowledged)]

    def _work(self) -> None:
        while not self._ended.is_set():
            for place, (database, name) in enumerate(self._places):
                with suppress(psycopg.Error), database.session(ROLE, self._password, name) as session:
                    self._write(session, place)
            time.sleep(0.05)

    def _write(self, session: Session, place: int) -> None:
        for _ in range(100):
            if self._ended.is_set():
                return
            word = f"live {secrets.token_hex(8)}"
            session.execute("INSERT INTO word (word) VALUES (%s)", [word])
            self.acknowledged.append((place, word))
            time.sleep(0.005)


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
    project._outputs = {}
    with project.connect(SERVICE) as session:
        assert session.info.dbname == database
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        project.database.session(ROLE, project.outputs()["passwords"][ROLE], other)
    assert project.tool("verify").returncode == 0
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}
    assert project.database.value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'engarde_split%'") == 0
