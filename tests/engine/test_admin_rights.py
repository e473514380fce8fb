"""An admin that is no superuser: told what it lacks before anything is touched; the SQL it is told is enough."""

import re
from typing import Any

from engarde.declaration.databases import restrict_to
from engarde.errors import Refused
from engarde.preflight.revocations import Given
from engarde.preflight.server_facts import Before, survey
from engarde.pulumi_cli import stacks
from engarde.server.credentials import scram_verifier
from tests.engine.admins import BACKEND, CREATEROLE, OWNED, PASSWORD, only_createrole, only_superuser
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import STACK as NAME
from tests.engine.program import Project, Run

STACK: dict[str, Any] = {
    "server": {"user": CREATEROLE.user, "superuser": False},
    "services": {"madansara": {"reads": ["public.users", "legacy.things"]}, "sankore": None},
    "existingSchemas": {"public": {"creators": [CREATEROLE.user, BACKEND]}, "legacy": {"creators": [BACKEND]}},
    "analytics": {"schemas": ["public", "sankore", "madansara"]},
    "extensions": {"hstore": None, "pgstattuple": None},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
NOTHING_YET = (
    f"CREATE ROLE adm LOGIN PASSWORD '{scram_verifier(PASSWORD, b'of an admin in tests')}'",
    "CREATE SCHEMA legacy",
    "CREATE TABLE legacy.things (id int)",
    "CREATE TABLE public.of_the_backend (id serial)",
    f"ALTER TABLE public.of_the_backend OWNER TO {BACKEND}",
    "CREATE ROLE madansara_user LOGIN",
)
SQL = re.compile(r"^ +((?:ALTER|GRANT|CREATE) .*;)  -- \S", re.MULTILINE)


def told(run: Run) -> list[str]:
    """The statements that the program asks for."""
    assert run.exit != 0
    assert "Traceback" not in run.output
    assert "adm is not a superuser and lacks privileges that this stack needs. Nothing was changed." in run.output
    return SQL.findall(run.output)


def lacking(project: Project) -> list[str]:
    """The statements that the survey asks for now."""
    stack = restrict_to(stacks.read(project.folder, NAME), None)
    before = Before(given=Given(outside=frozenset(role.name for role in stack.outside_roles)))
    try:
        survey(stack, PASSWORD, before, lambda _: None)
    except Refused as refusal:
        return SQL.findall(str(refusal))
    return []


def as_adm(project: Project, **more: Any) -> None:
    services = {**STACK["services"], "madansara": {**STACK["services"]["madansara"], "adopt": True}}
    project.declare(**{**STACK, "services": services, **more})


@only_superuser
def test_what_is_missing_is_told_at_once_and_its_sql_is_enough(projects: Projects) -> None:
    with projects() as project:
        project.database.run(*NOTHING_YET)
        as_adm(project)
        before = project.database.mark()
        statements = told(project.preview())
        assert told(project.up()) == statements
        assert project.database.changes(before) == []
        major = project.database.major
        assert set(statements) == {
            'ALTER ROLE "adm" CREATEROLE;',
            'ALTER DATABASE "railway" OWNER TO "adm";',
            'ALTER SCHEMA "legacy" OWNER TO "adm";',
            *(f'GRANT SELECT ON TABLE "public"."{table}" TO "adm" WITH GRANT OPTION;' for table in OWNED),
            *(f'GRANT SELECT ON SEQUENCE "public"."{table}_id_seq" TO "adm" WITH GRANT OPTION;' for table in OWNED[:2]),
            'GRANT SELECT ON TABLE "legacy"."things" TO "adm" WITH GRANT OPTION;',
            'CREATE EXTENSION IF NOT EXISTS "pgstattuple" SCHEMA "public";',
            *(['ALTER SCHEMA "public" OWNER TO "adm";'] if major < 15 else []),
            f'GRANT "{BACKEND}" TO "adm";',
            *(['GRANT "madansara_user" TO "adm" WITH ADMIN OPTION;'] if major >= 16 else []),
        }
        while statements:
            project.database.run(statements.pop(0))
            assert lacking(project) == statements
        assert set(project.succeeds(project.preview()).ops.values()) <= {"create", "import", "update"}
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE articles (id serial)")
            denied(session, "SELECT * FROM madansara.things")
        assert project.succeeds(project.up("--refresh")).ops == {}
        with project.connect("madansara") as session:
            session.execute("SELECT * FROM public.users, legacy.things")
            denied(session, "SELECT * FROM public.brands")
        with project.connect("analytics") as session:
            session.execute("SELECT * FROM public.brands, public.of_the_backend, sankore.articles")
            denied(session, "DELETE FROM sankore.articles")
        project.database.run("DROP TABLE sankore.articles")
        project.succeeds(project.destroy())


@only_superuser
def test_an_admin_that_is_called_a_superuser_and_is_none(projects: Projects) -> None:
    with projects() as project:
        project.database.run(*NOTHING_YET)
        as_adm(project, server={"user": CREATEROLE.user, "superuser": True})
        before = project.database.mark()
        run = project.up()
        assert run.exit != 0
        assert "engarde:server.superuser: adm is not a superuser. Nothing was changed." in run.output
        assert project.database.changes(before) == []


@only_createrole
def test_an_admin_of_its_own_database_needs_no_more_than_that(projects: Projects) -> None:
    """It finds the tables that services make without being let into their schemas."""
    services = {"madansara": {"reads": ["sankore.articles"]}, "sankore": None}
    with projects(services=services, analytics={}) as project:
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE articles (id int)")
        assert project.succeeds(project.up()).ops == {"madansara-reads-sankore.articles": "create"}
        with project.connect("madansara") as session:
            session.execute("SELECT * FROM sankore.articles")
        assert project.database.value("SELECT count(*) FROM pg_auth_members m WHERE m.member = 'adm'::regrole") < 10
