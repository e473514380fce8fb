"""`doctor --fix`: all that is safe and nothing else, in one transaction that waits for nobody."""

import time
from collections.abc import Iterator

import pytest

from tests.engine.admins import only_createrole
from tests.engine.conftest import Projects
from tests.engine.doctor import examined, told
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("fixes")

OWNER = "SELECT relowner::regrole::text FROM pg_class WHERE oid = %s::regclass"
SETTINGS = "SELECT count(*) FROM pg_db_role_setting WHERE setdatabase <> 0"
FIRST, SECOND = 'sankore."First-1"', "sankore.second"
SAFE = {("owner", f"table {FIRST}"), ("owner", f"table {SECOND}"), ("setting", "search_path of sankore_user")}
UNSAFE = {("place", "table public.lost"), ("owner", "view sankore.seen"), ("version table", "public.alembic_version")}


@pytest.fixture
def project(projects: Projects) -> Iterator[Project]:
    with projects(services={"sankore": None, "onside": None}) as project:
        project.succeeds(project.up())
        admin = project.database.admin.user
        project.database.run(
            f"CREATE TABLE {FIRST} (id serial)",
            f"ALTER TABLE {FIRST} OWNER TO {admin}",
            f"CREATE TABLE {SECOND} (id int)",
            f"ALTER TABLE {SECOND} OWNER TO {admin}",
            "CREATE VIEW sankore.seen AS SELECT 1",
            f"ALTER VIEW sankore.seen OWNER TO {admin}",
            "CREATE TABLE public.lost (id int)",
            "ALTER TABLE public.lost OWNER TO onside_user",
            "CREATE TABLE public.alembic_version (version_num varchar(32))",
            "ALTER TABLE public.alembic_version OWNER TO onside_user",
            "ALTER ROLE sankore_user IN DATABASE railway SET search_path = public",
        )
        assert told(examined(project)) == SAFE | UNSAFE
        yield project


def unchanged(project: Project) -> bool:
    admin = project.database.admin.user
    owners = [project.database.value(OWNER, table) for table in (FIRST, SECOND)]
    return owners == [admin, admin] and project.database.value(SETTINGS) == 1


def changed_by(project: Project, since: int) -> list[str]:
    return [change for change in project.database.changes(since) if change.startswith("ALTER")]


def test_all_that_is_safe_is_done_once_and_the_rest_is_left(project: Project) -> None:
    before = project.database.mark()
    done = project.tool("doctor", "--fix")
    assert done.returncode == 1
    assert f'ALTER TABLE {FIRST} OWNER TO "sankore_user";' in done.stderr
    assert 'ALTER TABLE public.lost SET SCHEMA "onside";' in done.stdout
    assert 'ALTER TABLE public.lost SET SCHEMA "onside";' not in done.stderr
    assert len(changed_by(project, before)) == len(SAFE)
    assert told(examined(project)) == UNSAFE
    again = project.database.mark()
    assert told(examined(project, "--fix")) == UNSAFE
    assert changed_by(project, again) == []
    for table in (FIRST, SECOND):
        assert project.database.value(OWNER, table) == "sankore_user"
    with project.connect("sankore") as session:
        assert session.execute("SHOW search_path").fetchone() == ("sankore, public",)


def at_the_second_table(project: Project, action: str) -> None:
    """Something goes wrong when the second table has just got its owner.

    A superuser's session switches event triggers off where the server can.
    """
    project.database.run(
        "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'sankore.second')"
        f" THEN {action}; END IF; END $$",
        "CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION public.refuse()",
    )


@only_createrole
def test_a_session_that_is_lost_leaves_nothing_behind(project: Project) -> None:
    at_the_second_table(project, "PERFORM pg_terminate_backend(pg_backend_pid())")
    done = project.tool("doctor", "--fix")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Nothing was changed there." in done.stderr
    assert unchanged(project)


@only_createrole
def test_one_statement_that_fails_undoes_them_all(project: Project) -> None:
    at_the_second_table(project, "RAISE EXCEPTION 'not this one'")
    done = project.tool("doctor", "--fix")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Nothing was changed" in done.stderr
    assert f'ALTER TABLE {SECOND} OWNER TO "sankore_user";\n  P0001: not this one' in done.stderr
    assert unchanged(project)


def test_a_table_in_use_is_not_queued_for(project: Project) -> None:
    with project.database.session() as session, session.transaction():
        session.execute(f"SELECT * FROM {SECOND}".encode())
        start = time.monotonic()
        done = project.tool("doctor", "--fix")
        assert time.monotonic() - start < 15
        assert (done.returncode, done.stdout) == (2, "")
        assert "55P03" in done.stderr
        assert SECOND in done.stderr
        assert unchanged(project)
    assert told(examined(project, "--fix")) == UNSAFE
