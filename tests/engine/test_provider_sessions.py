"""What the provider's sessions search, how long they wait, and what is refused where nothing protects them."""

import re
import time
from collections.abc import Iterator

import pytest

from engarde.util.provider_sessions import pgoptions
from engarde.util.timeouts import VARIABLE
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_superuser
from tests.engine.conftest import Projects
from tests.engine.program import Project

pytestmark = [only_superuser, pytest.mark.xdist_group("provider sessions")]

SERVICES = {"madansara": None, "sankore": {"reads": ["public.users"]}}
TRAPS = {
    "ALTER ROUTINE public.quote_ident(n name) RENAME TO backend_quote_ident;": (
        "CREATE FUNCTION public.quote_ident(n name) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'trapped as %', current_user; END $$"
    ),
    "DROP OPERATOR public.= (name, character varying);": (
        "CREATE FUNCTION public.trap(name, varchar) RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'trapped as %', current_user; END $$;"
        " CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = varchar, FUNCTION = public.trap)"
    ),
    "ALTER ROUTINE public.count(text) RENAME TO backend_count;": (
        "CREATE AGGREGATE public.count(text) (SFUNC = textcat, STYPE = text, INITCOND = '')"
    ),
}
SEARCHED = re.compile(r"Settings: (.*)")


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    """A stack that is up, on a server where somebody else has set traps, and which logs how each query was planned."""
    with projects(services=SERVICES, existingSchemas={"public": None}) as project:
        trap(project)
        project.database.run(
            "ALTER ROLE postgres SET session_preload_libraries = auto_explain",
            "ALTER ROLE postgres SET auto_explain.log_min_duration = 0",
            "ALTER ROLE postgres SET auto_explain.log_settings = on",
        )
        project.succeeds(project.up())
        yield project


def trap(project: Project) -> None:
    with project.database.session(BACKEND, BACKEND_PASSWORD) as session:
        for each in TRAPS.values():
            session.execute(each.encode())


def test_each_session_searches_pg_catalog_alone_and_springs_no_trap(project: Project) -> None:
    """Each plan in the server's log names the search_path that it was made under."""
    since = project.database.mark()
    project.declare(services={"madansara": {"connectionLimit": 7}}, existingSchemas={"public": None})
    project.succeeds(project.up("--refresh"))
    project.declare(services=SERVICES, existingSchemas={"public": None})
    project.succeeds(project.up())
    with project.database.server.log.open() as log:
        log.seek(since)
        made = log.read()
    plans, told = made.count("Query Text:"), SEARCHED.findall(made)
    assert plans > 20
    assert len(told) == plans
    assert [each for each in told if "search_path = 'pg_catalog" not in each] == []


@pytest.mark.parametrize("held", ["the role", "every advisory lock"])
def test_a_run_ends_where_somebody_holds_what_it_needs(
    project: Project, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    assert "lock_timeout=60000ms" in pgoptions()["PGOPTIONS"]
    monkeypatch.setenv(VARIABLE, "pulumi.lock=2")
    short = pgoptions()["PGOPTIONS"]
    with project.connect("sankore") as session, session.transaction(force_rollback=True):
        session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        if held == "the role":
            session.execute("ALTER ROLE sankore_user PASSWORD 'of-my-own'")
        else:
            session.execute("SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_roles")
        project.declare(services={**SERVICES, "sankore": {"connectionLimit": 7}}, existingSchemas={"public": None})
        began = time.monotonic()
        with monkeypatch.context() as shorter:
            shorter.setattr(project, "pgoptions", short)
            run = project.up()
        assert run.exit != 0 and "lock timeout" in run.output
        assert time.monotonic() - began < 60
    project.declare(services=SERVICES, existingSchemas={"public": None})
    project.succeeds(project.up("--refresh"))


def test_a_plain_run_is_refused_while_there_is_a_trap_in_its_path(projects: Projects) -> None:
    with projects(services={"madansara": None}) as project:
        trap(project)
        project.pgoptions = None
        run = project.up()
        assert run.exit != 0 and "in the search_path of postgres" in run.output and "bin/pulumi" in run.output
        assert "trapped" not in run.output
        said = re.findall(r"^ +(.*;)  -- owner: backend$", run.output, re.MULTILINE)
        assert sorted(said) == sorted(TRAPS)
        assert project.database.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '_user$'") == []
        with project.database.session(BACKEND, BACKEND_PASSWORD) as session:
            for each in said:
                session.execute(each.encode())
        project.succeeds(project.up())
        # Neither in a schema that is not searched, nor what a superuser has made.
        with project.connect("madansara") as session:
            session.execute("CREATE FUNCTION lower(int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
        project.database.run("CREATE FUNCTION public.upper(int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
        project.succeeds(project.preview())
        project.pgoptions = "-c search_path=public,madansara"
        refused = project.preview()
        assert refused.exit != 0
        assert (
            "ALTER ROUTINE madansara.lower(integer) RENAME TO madansara_user_lower;  -- owner: madansara_user"
            in refused.output
        )


def test_an_extension_is_not_made_where_others_choose_what_its_script_runs(projects: Projects) -> None:
    with projects(services={"madansara": None}, extensions={"hstore": None}) as project:
        trap(project)
        run = project.up()
        assert run.exit != 0 and "CREATE EXTENSION would run them" in run.output
        said = re.findall(r"^ +(.*;)  -- owner: backend$", run.output, re.MULTILINE)
        assert sorted(said) == sorted(TRAPS)
        assert project.database.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '_user$'") == []
        with project.database.session(BACKEND, BACKEND_PASSWORD) as session:
            for each in said:
                session.execute(each.encode())
        project.succeeds(project.up())
        assert project.database.value("SELECT count(*) FROM pg_extension WHERE extname = 'hstore'") == 1
        # One that is there runs no script.
        project.database.run(
            "CREATE FUNCTION public.lower(int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
            f"ALTER FUNCTION public.lower(int) OWNER TO {BACKEND}",
        )
        project.succeeds(project.preview())


def test_nor_where_those_are_that_it_requires(projects: Projects) -> None:
    existing = {"public": None, "tools": None}
    with projects(services={}, extensions={"earthdistance": {"schema": "tools"}}, existingSchemas=existing) as project:
        project.database.run("CREATE SCHEMA tools", "CREATE EXTENSION cube SCHEMA public")
        trap(project)
        run = project.preview()
        assert run.exit != 0 and "CREATE EXTENSION would run them" in run.output
