"""Who is not let in, or not at once: real errors, their causes confirmed, the printed fixes done, the errors gone."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psycopg
import pytest

from engarde.doctor.causes import connection_limits, logins, timeouts
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_superuser
from tests.engine.conftest import Projects
from tests.engine.database import NAME
from tests.engine.diagnosing import diagnosed, edit, heal, marks, said, told
from tests.engine.doctor import examined
from tests.engine.ills import Ill, ask, confirmed_first, named_and_healed, only_named
from tests.engine.program import Project, conninfo

pytestmark = pytest.mark.xdist_group("doctor-logins")

SERVICES = {
    "madansara": {"connectionLimit": 2},
    "sankore": {"statementTimeout": 400},
    "onside": {"tempFileLimit": 1},
    "langflow": None,
}
ILLS = {
    "NOLOGIN": Ill(logins.NOLOGIN, "onside", "SELECT 1", ("ALTER ROLE onside_user NOLOGIN",), clears=False),
    "VALID UNTIL": Ill(
        logins.EXPIRED, "onside", "SELECT 1", ("ALTER ROLE onside_user VALID UNTIL '2020-01-01'",), clears=False
    ),
    "the role's limit": Ill(
        connection_limits.LIMIT, "onside", "SELECT 1", ("ALTER ROLE onside_user CONNECTION LIMIT 0",)
    ),
    "statement_timeout by hand": Ill(
        timeouts.STATEMENT_CHANGED,
        "onside",
        "SELECT pg_sleep(0.5)",
        ("ALTER ROLE onside_user SET statement_timeout = '100ms'",),
    ),
    "statement_timeout as declared": Ill(timeouts.TOO_SLOW, "sankore", "SELECT pg_sleep(0.6)", clears=False),
}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, existingSchemas={"public": None}, analytics={}) as project:
        project.succeeds(project.up())
        ask(project, "sankore", "CREATE TABLE things (id int); INSERT INTO things VALUES (1)")
        yield project


@pytest.mark.parametrize("name", [name for name in ILLS if name != "statement_timeout as declared"])
def test_it_is_named_and_what_is_printed_heals_it(project: Project, name: str) -> None:
    named_and_healed(project, ILLS[name])


def test_a_statement_that_is_too_slow(project: Project) -> None:
    ill = ILLS["statement_timeout as declared"]
    text = said(lambda: ask(project, ill.who, ill.fails))
    code, found = diagnosed(project, f"sankore: {text}")
    confirmed_first(code, found, ill.cause)
    heal(project, found["remedy"])
    ask(project, ill.who, ill.fails)


def test_a_password_changed_by_hand(project: Project) -> None:
    project.database.run("ALTER ROLE langflow_user PASSWORD 'by hand'")
    text = said(lambda: ask(project, "langflow", "SELECT 1"))
    code, found = diagnosed(project, f'{text}\npostgresql://langflow_user:by%20hand@h/d\n{{"password": "by hand"}}')
    confirmed_first(code, found, logins.CHANGED)
    assert "by hand" not in told(found).replace("changed by hand", "")
    heal(project, found["remedy"])
    ask(project, "langflow", "SELECT 1")
    assert marks(diagnosed(project, text)[1])[logins.CHANGED.says] == "ruled out"


def test_a_url_from_before_a_rotation(project: Project) -> None:
    old = project.outputs()["database_urls"]["langflow"]
    edit(project, "engarde:services:\n  langflow:\n    rotation: 7")
    project.succeeds(project.up())
    text = said(lambda: psycopg.connect(conninfo(old)))
    pasted = f"sqlalchemy.exc.OperationalError: (psycopg.OperationalError) {text}\nwith {old}"
    code, found = diagnosed(project, pasted)
    confirmed_first(code, found, logins.OLD_URL)
    printed = heal(project, found["remedy"]).strip()
    psycopg.connect(conninfo(printed)).close()
    project.outputs()
    assert diagnosed(project, pasted.replace(old, printed))[0] == 0


def test_a_role_that_is_not_there(project: Project) -> None:
    def login() -> None:
        psycopg.connect(conninfo(project.outputs()["database_urls"]["onside"]), user="Odd-user").close()

    text = said(login)
    code, found = diagnosed(project, text)
    confirmed_first(code, found, logins.NO_SUCH_ROLE)
    assert found["remedy"]["text"] == "bin/engarde url SERVICE --stack local --from service"


def test_a_service_that_leaves_transactions_open(project: Project) -> None:
    with ExitStack() as open_:
        for _ in range(2):
            session = open_.enter_context(project.connect("madansara"))
            session.execute("BEGIN")
        text = said(lambda: ask(project, "madansara", "SELECT 1"))
        cause = connection_limits.LEAK if project.database.admin.superuser else connection_limits.POOL
        assert "too many connections for role" in text
        code, found = diagnosed(project, text)
        if project.database.admin.superuser:
            confirmed_first(code, found, cause)
    assert diagnosed(project, text)[0] == 0


def test_more_sessions_than_a_role_may_have(project: Project) -> None:
    with project.connect("madansara"), project.connect("madansara"):
        text = said(lambda: ask(project, "madansara", "SELECT 1"))
        found = only_named(project, text, connection_limits.POOL, "code")
        assert "below 2" in found["remedy"]["text"]
    ask(project, "madansara", "SELECT 1")
    assert diagnosed(project, text)[0] == 0


def test_a_full_server(project: Project) -> None:
    project.database.run(f"GRANT CONNECT ON DATABASE {NAME} TO {BACKEND}")
    with ExitStack() as open_:

        def fill() -> None:
            for _ in range(200):
                open_.enter_context(project.database.session(BACKEND, BACKEND_PASSWORD))

        text = said(fill)
        code, found = diagnosed(project, text)
        if project.database.admin.superuser:
            confirmed_first(code, found, connection_limits.FULL)
            assert BACKEND in told(found)
        else:
            # It has no connection kept for it either.
            assert (code, found["verified"]) == (1, True), told(found)
    assert diagnosed(project, text)[0] == 0


def test_a_lock_that_somebody_holds(project: Project) -> None:
    fails = "SET lock_timeout = '100ms'; UPDATE sankore.things SET id = 2"
    with suppress(psycopg.errors.AdminShutdown), project.connect("sankore") as holder:
        holder.execute("BEGIN; LOCK TABLE sankore.things")
        text = said(lambda: ask(project, "sankore", fails))
        code, found = diagnosed(project, f"sankore: {text}")
        confirmed_first(code, found, timeouts.LOCKED)
        if found["remedy"]["kind"] == "sql":
            heal(project, found["remedy"])
        else:
            holder.execute("ROLLBACK")
    ask(project, "sankore", fails)
    assert diagnosed(project, f"sankore: {text}")[0] == 0


def test_one_role_that_holds_every_lock(project: Project) -> None:
    with suppress(psycopg.errors.AdminShutdown), project.connect("sankore") as holder:
        takes = "SELECT count(pg_advisory_lock(i)) FROM generate_series(1, 1000000) i"
        holder.execute("SET statement_timeout = 0")
        text = said(lambda: holder.execute(takes))
        assert "out of shared memory" in text
        # A login takes a lock, too: without any left the server lets nobody in.
        holder.execute("SELECT count(pg_advisory_unlock(i)) FROM generate_series(1, 30) i")
        stopped = project.tool("verify")
        assert stopped.returncode == 3, stopped.stdout
        assert "`bin/engarde doctor 'out of shared memory'` names what uses it up" in stopped.stderr
        # Without room for the other questions this is all that is found.
        [finding] = examined(project)
        assert (finding["check"], finding["subject"]) == ("lock table", "sankore_user")
        assert finding["actual"].startswith("sankore_user holds ")
        code, found = diagnosed(project, text)
        confirmed_first(code, found, connection_limits.LOCKS)
        assert "sankore_user holds" in told(found)
        heal(project, found["remedy"])
    assert project.tool("verify").returncode in (0, 1)
    assert diagnosed(project, text)[0] == 0


@only_superuser
def test_temporary_files_that_are_too_large(project: Project) -> None:
    sorts = "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT i FROM generate_series(1, 60000) i ORDER BY -i) AS one"
    named_and_healed(project, Ill(timeouts.TOO_LARGE, "onside", sorts, clears=False))


@pytest.mark.parametrize("share", ["a few", "over half"])
def test_one_that_is_none_of_the_stacks_is_named_and_left_alone(project: Project, share: str) -> None:
    database = project.database
    database.run(f"GRANT CONNECT ON DATABASE {NAME} TO {BACKEND}")
    room = int(database.value("SHOW max_locks_per_transaction")) * int(database.value("SHOW max_connections"))
    locks = room // 20 if share == "a few" else room * 6 // 10
    with database.session(BACKEND, BACKEND_PASSWORD) as holder:
        holder.execute(f"SELECT count(pg_advisory_lock(i)) FROM generate_series(1, {locks}) i".encode())
        code, found = diagnosed(project, "out of shared memory")
        if share == "a few":
            assert (code, marks(found)[connection_limits.LOCKS.says]) == (0, "ruled out"), told(found)
        else:
            confirmed_first(code, found, connection_limits.LOCKS)
            assert f"{BACKEND} holds {locks} locks in 1 sessions" in told(found)
            [finding] = [each for each in examined(project) if each["check"] == "lock table"]
            assert (finding["subject"], finding["remedy"]["kind"]) == (BACKEND, "code")
            assert "pg_terminate_backend" not in told(found)
