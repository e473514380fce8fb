"""A session of the tool's whose way to the server carries nothing any more, and what such a session leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from devtools import server as servers
from engarde.declaration.address import Address
from engarde.errors import LoginRefused, Unreachable
from engarde.server import connect
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.timeouts import VARIABLE
from tests.engine import database as databases
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.database import NAME, Database
from tests.parts import sampled
from tests.proxies import Mode, Proxy, proxy

pytestmark = [only_superuser, pytest.mark.xdist_group("stalled-sessions")]

LIMITS = "connect=2,silence=1,answer=2,look.statement=5,copy.statement=5,change.idle=2,copy.idle=2"
LOGIN = ("onside", "OnsidesPasswordInTests")
ROLE = f"CREATE ROLE {LOGIN[0]} LOGIN PASSWORD '{LOGIN[1]}' CONNECTION LIMIT 2"
SOON = 12.0
"""With these limits, on a machine that is at work on other things, too [seconds]."""


@pytest.fixture(scope="module")
def database(template: servers.Server) -> Iterator[Database]:
    with databases.copied(template) as made:
        made.run(ROLE, "CREATE TABLE held ()")
        yield made


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, LIMITS)


def at(port: int, role: str = servers.ADMIN, password: str = PASSWORD) -> Access:
    return Access(Address(host=servers.HOST, port=port), NAME, role, password)


@contextmanager
def soon() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < SOON


def asks(access: Access, question: str = "SELECT repeat('x', 1000)") -> None:
    with session(access) as asked:
        asked.execute(question)
        asked.execute(question)


@pytest.mark.parametrize("mode", ["frozen", "after login", "in an answer", "drip"])
def test_no_answer_comes_through(database: Database, mode: Mode) -> None:
    refused = LoginRefused if mode == "frozen" else Unreachable
    with proxy(database.server.port, mode) as way, soon(), pytest.raises(refused, match=r"without an answer|timeout"):
        asks(at(way.port))


@contextmanager
def cut(access: Access, way: Proxy) -> Iterator[Any]:
    """A connection that alone is cut off; those that come after it are carried."""
    opened = connect.connect(access, "look")
    way.mode, way.spared = "after login", 100
    try:
        yield opened
    finally:
        opened.close()


def test_one_of_two_connections_is_cut_off(database: Database) -> None:
    lost = pytest.raises(psycopg.OperationalError, match="the server waits for the client")
    with proxy(database.server.port) as way, cut(at(way.port), way) as opened, soon(), lost:
        opened.execute("SELECT 1")


def test_a_role_that_has_no_connection_left_is_given_the_limit_of_the_answer(database: Database) -> None:
    lost = pytest.raises(psycopg.OperationalError, match="did not answer within 7 s")
    with ExitStack() as within:
        within.enter_context(database.session(*LOGIN))
        way = within.enter_context(proxy(database.server.port))
        opened = within.enter_context(cut(at(way.port, *LOGIN), way))
        with soon(), lost:
            opened.execute("SELECT 1")


def test_rows_that_do_not_arrive(database: Database) -> None:
    with proxy(database.server.port) as way:
        opened = connect.connect(at(way.port), "copy")
        with opened, soon(), pytest.raises(psycopg.OperationalError, match="the server waits for the client"):
            opened.execute("CREATE TEMPORARY TABLE taken (word text)")
            with opened.cursor().copy("COPY taken FROM STDIN") as copy:
                way.mode, way.spared = "frozen", 100
                while True:
                    copy.write(b"x" * 100_000 + b"\n")


def test_a_server_at_work_is_waited_for(database: Database) -> None:
    with proxy(database.server.port) as way, session(at(way.port)) as asked:
        asked.execute("SELECT pg_sleep(4)")


def test_a_process_that_nobody_knows_may_be_a_pooler_s(database: Database) -> None:
    assert not connect._stalled(at(database.server.port), 1)


def test_the_server_s_own_limit_is_heard_first(database: Database) -> None:
    with soon(), pytest.raises(Unreachable, match="statement timeout"):
        asks(at(database.server.port), "SELECT pg_sleep(30)")


def test_a_stopped_server(database: Database) -> None:
    opened, postmaster = connect.connect(at(database.server.port), "look"), servers.pid_of(database.server)
    stopped = [opened.info.backend_pid, postmaster or 0]
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        with soon(), pytest.raises(psycopg.OperationalError, match="a second connection fails"):
            opened.execute("SELECT 1")
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)
    with pytest.raises(psycopg.OperationalError):
        opened.execute("SELECT 1")


HOLDS = """
import sys
from engarde.server.credentials import Access
from engarde.declaration.address import Address
from engarde.server.session import session
port, kind, last = sys.argv[1:]
address = Address(host="127.0.0.1", port=int(port))
with session(Access(address, "railway", "postgres", sys.stdin.readline().strip()), kind, read_only=False) as asked:
    asked.execute("LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE" if last else "")
    print("held", flush=True)
    sys.stdin.readline()
    asked.execute(last)
"""
LOCKED = "SELECT count(*) FROM pg_locks WHERE relation = 'held'::regclass"


@pytest.mark.parametrize(
    "case",
    sampled(
        [
            ("frozen", "change", "SELECT 1"),
            ("frozen", "copy", "SELECT 1"),
            # The server has more to say than comes through, or is at work, when its client is gone.
            ("frozen", "copy", "SELECT repeat('x', 1000) FROM generate_series(1, 100000)"),
            ("open", "copy", "SELECT pg_sleep(60)"),
        ],
        ("frozen", "copy", "SELECT 1"),
    ),
    ids=" ".join,
)
def test_a_killed_client_leaves_no_lock(database: Database, case: tuple[Mode, str, str]) -> None:
    mode, kind, last = case
    with proxy(database.server.port) as way:
        holding = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(way.port), kind, last],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holding.stdin
        assert holding.stdout
        with holding, holding.stdin, holding.stdout:
            holding.stdin.write(PASSWORD + "\n")
            holding.stdin.flush()
            assert holding.stdout.readline() == "held\n"
            if "SELECT 1" not in last:
                holding.stdin.write("\n")
                holding.stdin.flush()
                time.sleep(0.2)
            way.mode = mode
            time.sleep(0.3)
            holding.kill()
        start = time.monotonic()
        while database.value(LOCKED) and time.monotonic() - start < 55:
            time.sleep(0.2)
        assert not database.value(LOCKED)
