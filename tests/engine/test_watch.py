"""Which sessions are taken for those at work, and when they are taken to be gone."""

import time
from collections.abc import Callable, Iterator
from threading import Event

import psycopg
import pytest

from devtools import server as servers
from engarde.declaration.address import Address
from engarde.errors import Unreachable
from engarde.server.blocking import Watch, watched
from engarde.server.credentials import Access
from engarde.util.timeouts import VARIABLE
from tests.engine import database as databases
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.database import NAME, Database, Session

pytestmark = [only_superuser, pytest.mark.xdist_group("watch")]

ROLE, OWN = "onside", "OnsidesPasswordInTests"
APPLICATION = "at work in tests"
GONE = 2.0
SOON = 15.0
"""On a machine that is at work on other things, too [seconds]."""


@pytest.fixture(scope="module")
def database(template: servers.Server) -> Iterator[Database]:
    with databases.copied(template) as made:
        made.run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{OWN}'", "CREATE TABLE held ()", f"GRANT ALL ON held TO {ROLE}")
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(database: Database, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setenv(VARIABLE, f"watch=0.2,gone={GONE},connect=2")
    admin = Access(Address(host=servers.HOST, port=database.server.port), NAME, servers.ADMIN, PASSWORD)
    return Watch(admin, ROLE, "keeps it waiting", said.append, APPLICATION, Event().set)


def at_work(database: Database, application: str = APPLICATION) -> Session:
    return psycopg.connect(
        host=servers.HOST,
        port=database.server.port,
        dbname=NAME,
        user=ROLE,
        password=OWN,
        application_name=application,
        autocommit=True,
    )


def soon(found: Callable[[], object]) -> bool:
    end = time.monotonic() + SOON
    while not found() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(found())


def lose(database: Database) -> None:
    """Ends the watch's session, and waits for the next one."""
    with database.session() as own:

        def others() -> set[int]:
            found = own.execute("SELECT pid FROM pg_stat_activity WHERE usename = user AND pid <> pg_backend_pid()")
            return {pid for (pid,) in found.fetchall()}

        assert soon(others)
        before = others()
        for each in before:
            own.execute("SELECT pg_terminate_backend(%s)", [each])
        assert soon(lambda: others() - before)


def test_after_a_lost_session_the_same_ones_are_at_work(database: Database, watch: Watch, said: list[str]) -> None:
    with watched(watch), at_work(database) as working:
        lose(database)
        time.sleep(2 * GONE)
        assert watch.reason == ""
        with database.session() as holding, holding.transaction():
            holding.execute("LOCK TABLE held")
            working.autocommit = True
            working.execute("SET statement_timeout = '3s'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                working.execute("TABLE held")
            assert [f"process {holding.info.backend_pid}, " in each for each in said] == [True]


def test_nothing_begins_unwatched(database: Database, watch: Watch) -> None:
    watch.access = Access(Address(host=servers.HOST, port=1), NAME, servers.ADMIN, PASSWORD)
    begun = False
    with pytest.raises(Unreachable), watched(watch):
        begun = True
    assert not begun


def test_what_was_there_before_is_not_at_work(database: Database, watch: Watch) -> None:
    with at_work(database), watched(watch):
        assert soon(lambda: watch.reason)


def test_a_session_by_another_name_does_not_stand_for_the_one_that_is_gone(database: Database, watch: Watch) -> None:
    with watched(watch):
        with at_work(database):
            time.sleep(2 * GONE)
            assert watch.reason == ""
        with at_work(database, application=""):
            assert soon(lambda: watch.reason)


def test_where_the_driver_does_not_hand_its_name_on_any_session_counts(database: Database, watch: Watch) -> None:
    with watched(watch), at_work(database, application=""):
        time.sleep(2 * GONE)
        assert watch.reason == ""
