"""The parts of a stack that not every stack has."""

from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND
from tests.engine.conftest import Projects
from tests.engine.denied import denied

REFERENCE = "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"
PARTS: dict[str, Any] = {
    "serviceAddress": {"host": REFERENCE, "port": 5433, "sslmode": "require"},
    "existingSchemas": {"public": None},
    "extensions": {"hstore": None, "citext": None},
}
SERVICES: dict[str, Any] = {"sankore": None, "onside": {"urlFormat": "sqlalchemy+asyncpg"}}
EXTENSIONS = "SELECT extname, extnamespace::regnamespace::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"


def test_a_stack_has_its_parts_and_loses_them_one_by_one(projects: Projects) -> None:
    with projects(services=SERVICES, analytics={"schemas": ["public", "onside"]}, **PARTS) as project:
        project.succeeds(project.up())
        outputs = project.outputs()
        passwords = outputs["passwords"]
        assert outputs["database_urls"] == {
            "sankore": f"postgresql://sankore_user:{passwords['sankore_user']}@{REFERENCE}:5433/railway?sslmode=require",
            "onside": f"postgresql+asyncpg://onside_user:{passwords['onside_user']}@{REFERENCE}:5433/railway?ssl=require",
        }
        assert f"@{REFERENCE}:5433/" in outputs["analytics_url"]
        assert project.database.rows(EXTENSIONS) == [("citext", "public"), ("hstore", "public")]
        with project.database.session("sankore_user", passwords["sankore_user"]) as session:
            session.execute("CREATE TABLE things (id int, word citext, more hstore)")
            session.execute("INSERT INTO things VALUES (1, 'A', 'a=>1')")
            assert session.execute("SELECT more -> 'a' FROM things WHERE word = 'a'").fetchone() == ("1",)
        with project.database.session("onside_user", passwords["onside_user"]) as session:
            session.execute("CREATE TABLE things (id int)")
        with project.database.session("analytics_readonly", passwords["analytics_readonly"]) as session:
            session.execute("SELECT * FROM onside.things, public.users")
            denied(session, "SELECT id FROM sankore.things")

        project.declare(services=SERVICES, **PARTS)
        without_analytics = project.succeeds(project.up())
        assert set(without_analytics.ops.values()) == {"delete"}
        assert all(name.startswith("analytics") for name in without_analytics.ops)
        assert project.outputs()["analytics_url"] is None
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            project.database.session("analytics_readonly", passwords["analytics_readonly"])

        project.database.run("DROP TABLE sankore.things, onside.things", "DROP EXTENSION citext")
        project.declare(existingSchemas={"public": None})
        project.succeeds(project.up())
        assert {name for (name,) in project.database.rows(ROLES)} == {BACKEND, "postgres", project.database.admin.user}
        assert project.outputs()["database_urls"] == project.outputs()["services"] == {}

        project.succeeds(project.destroy())
        assert project.database.rows(EXTENSIONS) == [("hstore", "public")]


def test_an_extension_that_cannot_be_moved_is_refused_until_it_is_dropped(projects: Projects) -> None:
    declared = {"services": {"sankore": None}, "existingSchemas": {"public": None, "apart": None}}
    with projects(**declared, extensions={"citext": None}) as project:
        database = project.database
        database.run_as(database.admin, "CREATE SCHEMA apart")
        project.succeeds(project.up())
        database.run("UPDATE pg_extension SET extrelocatable = false WHERE extname = 'citext'")
        project.declare(**declared, extensions={"citext": {"schema": "apart"}})
        mark = database.mark()
        refused = project.up()
        assert (refused.exit != 0, refused.ops) == (True, {})
        assert 'citext is in schema public, but declared in apart: DROP EXTENSION "citext";' in refused.output
        assert database.changes(mark) == []
        database.run_as(database.admin, 'DROP EXTENSION "citext"')
        project.succeeds(project.up("--refresh"))
        assert database.rows(EXTENSIONS) == [("citext", "apart")]
