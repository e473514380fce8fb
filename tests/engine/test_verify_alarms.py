"""What is no finding: odd names, extensions, migrations, and what services make of their own."""

from pathlib import Path

import pytest

from tests.conftest import Projects
from tests.engine.admins import BACKEND
from tests.engine.program import THE_ADMIN, Project
from tests.engine.verifying import told, verified

pytestmark = pytest.mark.xdist_group("verify-alarms")


ODD = {
    "Big": {"schema": "Mixed Case", "role": "Role With 'Quote'", "reads": ['public."Odd ""Table"""']},
    "a-b.c": None,
    "x" * 58: None,
    "é": {"schema": "señor", "reads": [{"table": '"Mixed Case"."T.T"', "columns": ["The Column"]}]},
    "on": {"role": 'dou"ble'},
}


def test_odd_names(projects: Projects) -> None:
    sections = {"services": ODD, "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}}, "analytics": {}}
    with projects(**sections) as project:
        project.database.run_as(project.database.admin, 'CREATE TABLE public."Odd ""Table""" (id serial, "A b" int)')
        project.succeeds(project.up())
        with project.connect("Big") as session:
            session.execute('CREATE TABLE "T.T" ("The Column" int, other int, "Ser" serial)')
            session.execute('CREATE FUNCTION "F\'"("A" text) RETURNS int LANGUAGE sql AS \'SELECT 1\'')
        project.succeeds(project.up())
        assert told(verified(project)) == []
        project.database.run('GRANT UPDATE ("The Column") ON "Mixed Case"."T.T" TO "dou""ble"')
        [finding, *_] = [each for each in verified(project).findings if each.check == "undeclared grant"]
        assert finding.subject == 'dou"ble on table "Mixed Case"."T.T"'
        done = project.tool("verify")
        assert done.returncode == 1 and "Role With 'Quote'" in done.stdout


def test_nothing_declared(projects: Projects) -> None:
    with projects(existingSchemas={"public": {"creators": [THE_ADMIN, BACKEND]}}) as project:
        project.succeeds(project.up())
        assert told(verified(project)) == []
        assert project.tool("verify").returncode == 0


def test_extensions_of_every_kind_are_no_alarm(projects: Projects) -> None:
    sections = {
        "services": {"a": {"reads": ["public.users"]}, "b": None},
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
        "extensions": {"pgcrypto": None, "citext": None, "hstore": None},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        # By a superuser, before and after grants on all tables: its views, tables and functions lie in `public`.
        project.database.run(
            "CREATE EXTENSION pg_stat_statements", "CREATE EXTENSION pg_trgm", "CREATE EXTENSION dblink"
        )
        with project.connect("a") as session:
            # A trusted one, which a service may have in its own schema: its objects are the first superuser's.
            project.database.run("GRANT CREATE ON DATABASE railway TO a_user")
            session.execute("CREATE EXTENSION btree_gin")
            project.database.run("REVOKE CREATE ON DATABASE railway FROM a_user")
        assert told(verified(project)) == []
        # Another admin is asked for rights on the superuser's views first.
        if project.database.admin.superuser:
            project.succeeds(project.up())
            assert told(verified(project)) == []
        project.database.run("GRANT INSERT ON public.pg_stat_statements TO a_user")
        assert "a_user on table public.pg_stat_statements" in [
            finding.subject for finding in verified(project).findings
        ]


OF_ITS_OWN = (
    "CREATE TYPE spans AS RANGE (subtype = float8)",
    "CREATE TABLE aaa (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (1 + 1) STORED)",
    "CREATE RULE keep AS ON DELETE TO aaa DO INSTEAD NOTHING",
    "CREATE RULE same AS ON UPDATE TO aaa DO INSTEAD NOTHING",
    "CREATE TABLE secret (id int)",
    "ALTER TABLE secret ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON secret USING (id = 1)",
    "CREATE POLICY theirs ON secret FOR SELECT TO analytics_readonly USING (true)",
    "CREATE TABLE parent (id int)",
    "CREATE TABLE child () INHERITS (parent)",
    "CREATE TEMPORARY TABLE passing (id int)",
    "GRANT SELECT ON passing TO PUBLIC",
)


def test_what_a_service_makes_of_its_own_is_no_alarm(projects: Projects) -> None:
    sections = {
        "services": {"a": {"statementTimeout": 9000}, "b": None},
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        with project.connect("a") as session:
            for statement in OF_ITS_OWN:
                session.execute(statement.encode())
            project.database.run(
                "ALTER ROLE a_user SET statement_timeout = '9e3'", "ALTER ROLE b_user SET search_path = B,public"
            )
            assert told(verified(project)) == []


def test_what_services_migrate_is_no_alarm(projects: Projects, tmp_path: Path) -> None:
    services = {"madansara": {"reads": ["public.users"]}, "sankore": {"urlFormat": "sqlalchemy+psycopg"}}
    sections = {
        "services": services,
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        for service in services:
            migrate(project, service, tmp_path / service)
        report = verified(project)
        assert told(report) == []
        [row] = [each for each in report.matrix if each.role == "analytics_readonly"]
        assert {cell.access for cell in row.cells} == {"reads"}


def migrate(project: Project, service: str, folder: Path) -> None:
    """A real Alembic project with what migrations make, upgraded, downgraded by one and upgraded again."""
    from alembic import command
    from alembic.config import Config

    from tests.engine.migrations import write

    write(folder)
    config = Config(folder / "alembic.ini")
    url = project.outputs()["database_urls"][service].split("://", 1)[1]
    config.attributes["url"] = f"postgresql+psycopg://{url}"
    command.upgrade(config, "head")
    command.downgrade(config, "-1")
    command.upgrade(config, "head")
