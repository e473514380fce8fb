"""Nothing that holds data goes, and nobody is locked out, unless it is meant."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND, BACKEND_PASSWORD, PASSWORD
from tests.engine.conftest import Stacks
from tests.engine.database import Database
from tests.engine.denied import denied
from tests.engine.program import THE_ADMIN, Project, Run

pytestmark = pytest.mark.xdist_group("nothing-lost")

READS = ["public.users", {"table": "public.brands", "columns": ["id"]}, "sankore.articles"]
SERVICES: dict[str, Any] = {"madansara": {"reads": READS}, "sankore": None, "onside": {"reads": ["sankore.articles"]}}
BESIDE: dict[str, Any] = {
    "existingSchemas": {"public": {"service": "production-backend", "creators": [THE_ADMIN, BACKEND]}},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
CATALOG = """
    SELECT 'role ' || rolname, concat_ws(' ', rolpassword, rolconnlimit, rolcanlogin) FROM pg_authid
    UNION ALL SELECT 'settings ' || setrole::regrole || setdatabase, setconfig::text FROM pg_db_role_setting
    UNION ALL SELECT 'database ' || datname, datacl::text FROM pg_database
    UNION ALL SELECT 'schema ' || nspname, nspowner::regrole || coalesce(nspacl::text, '') FROM pg_namespace
      WHERE nspname !~ '^pg_toast|^pg_temp'
    UNION ALL SELECT 'relation ' || oid::regclass, relowner::regrole || coalesce(relacl::text, '') FROM pg_class
      WHERE relnamespace::regnamespace::text !~ '^pg_'
    UNION ALL SELECT 'column ' || attrelid::regclass || attname, attacl::text FROM pg_attribute
      WHERE attacl IS NOT NULL AND attrelid::regclass::text !~ '^pg_'
    UNION ALL SELECT concat_ws(' ', 'future', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype),
      defaclacl::text FROM pg_default_acl
"""


def catalog(database: Database) -> dict[str, str]:
    """All that a login, an access list or an owner could be lost from."""
    return dict(database.rows(CATALOG))


def everybody_works(project: Project) -> None:
    """Every login works, reads what it is to read, and finds its data."""
    with project.connect("madansara") as session:
        assert session.execute("SELECT word FROM things").fetchall() == [("kept",)]
        session.execute("SELECT id, email FROM public.users")
        session.execute("SELECT id FROM public.brands")
        session.execute("SELECT id FROM sankore.articles")
        denied(session, "SELECT * FROM onside.things")
    with project.connect("onside") as session:
        session.execute("SELECT word FROM things")
        session.execute("SELECT id FROM sankore.articles")
    with project.connect("analytics") as session:
        session.execute("SELECT * FROM madansara.things, onside.things o, sankore.articles, public.users")


def in_use(project: Project) -> None:
    """Everything declared, in use, and with data."""
    project.succeeds(project.up())
    for service, table in (("madansara", "things"), ("onside", "things"), ("sankore", "articles")):
        with project.connect(service) as session:
            session.execute(f"CREATE TABLE {table} (id serial, word text DEFAULT 'kept')".encode())
            session.execute(f"INSERT INTO {table} DEFAULT VALUES".encode())
    project.succeeds(project.up())
    everybody_works(project)


def refused(project: Project, run: Callable[[], Run], because: str) -> None:
    """The run fails for that reason, in clear words, and the server is as it was."""
    before = catalog(project.database)
    done = run()
    assert done.exit != 0
    assert because in done.output
    assert "Traceback" not in done.output
    assert catalog(project.database) == before


@pytest.mark.parametrize("protect", [False, True])
def test_a_service_that_is_removed_while_it_holds_tables_stays_whole(stacks: Stacks, protect: bool) -> None:
    left = {name: declared for name, declared in SERVICES.items() if name != "madansara"}
    server = {"protect": protect}
    with stacks(in_use, server=server, services=SERVICES, **BESIDE) as project:
        known = project.outputs()
        project.declare(server=server, services=left, **BESIDE)
        for run in (project.preview, project.up):
            refused(project, run, "any more, but they are not empty: madansara (2 objects). Nothing was changed")
        refused(project, lambda: project.destroy("--skip-preview"), "protect" if protect else "cannot drop schema")
        # The engine drops the outputs of what is declared no more, also when its deletion fails.
        project.declare(server=server, services=SERVICES, **BESIDE)
        project.succeeds(project.up())
        assert project.outputs() == known
        everybody_works(project)
        assert project.succeeds(project.up("--refresh")).ops == {}


def test_a_protected_stack_is_not_destroyed(stacks: Stacks) -> None:
    with stacks(in_use, server={"protect": True}, services=SERVICES, **BESIDE) as project:
        known = project.outputs()
        refused(project, project.destroy, "protect")
        refused(project, lambda: project.destroy("--skip-preview"), "protect")
        without_analytics = {name: declared for name, declared in BESIDE.items() if name != "analytics"}
        project.declare(server={"protect": True}, services=SERVICES, **without_analytics)
        refused(project, project.preview, "protect")
        project.declare(server={"protect": True}, services=SERVICES, **BESIDE)
        project.succeeds(project.up())
        assert project.outputs() == known
        everybody_works(project)
        assert project.succeeds(project.up("--refresh")).ops == {}


def test_a_service_is_retired_and_a_stack_destroyed_on_purpose(stacks: Stacks) -> None:
    with stacks(in_use, server={"protect": True}, services=SERVICES, **BESIDE) as project:
        old = project.outputs()["passwords"]["madansara_user"]

        # As documented: its tables backed up and dropped, protection off in one run, out of the stack in the next.
        project.database.run("DROP TABLE madansara.things")
        left = {name: declared for name, declared in SERVICES.items() if name != "madansara"}
        project.declare(server={"protect": True}, services=left, **BESIDE)
        refused(project, project.preview, "stack local protects what its stack file no longer declares: madansara")
        project.declare(
            server={"protect": True}, services={**SERVICES, "madansara": {"reads": READS, "protect": False}}, **BESIDE
        )
        project.succeeds(project.up())
        project.declare(server={"protect": True}, services=left, **BESIDE)
        retired = project.succeeds(project.up())
        assert set(retired.ops.values()) == {"delete"}
        assert "madansara" not in str(catalog(project.database))
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            project.database.session("madansara_user", old)

        project.declare(server={"protect": False}, services=left, **BESIDE)
        project.succeeds(project.up())
        project.database.run("DROP TABLE onside.things, sankore.articles")
        project.succeeds(project.destroy())
        remaining = catalog(project.database)
        assert not {"schema onside", "schema sankore", "role onside_user", "role analytics_readonly"} & remaining.keys()
        assert not [each for each in remaining if each.startswith("future")]
        assert "_user" not in str(remaining.values())
        for role, password in ((project.database.admin.user, PASSWORD), (BACKEND, BACKEND_PASSWORD)):
            with project.database.session(role, password) as session:
                session.execute("CREATE TABLE public.goes_on (id serial)")
                session.execute("INSERT INTO public.goes_on DEFAULT VALUES")
                session.execute("CREATE TEMP TABLE passing AS SELECT * FROM public.goes_on")
                session.execute("DROP TABLE public.goes_on")
        project.database.run("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            project.database.session("stranger", "stranger")
        project.database.run(
            "GRANT CONNECT ON DATABASE railway TO stranger", "GRANT SELECT ON public.users TO stranger"
        )
        with project.database.session("stranger", "stranger") as session:
            session.execute("SELECT * FROM public.users")
            denied(session, "CREATE TABLE public.strange (id int)")
