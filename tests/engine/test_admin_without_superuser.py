"""An admin that is no superuser: it owns the database, makes roles, and reads all data."""

from typing import Any

from engarde.scram import verifier
from tests.engine.conftest import Projects
from tests.engine.database import BACKEND, PASSWORD
from tests.engine.denied import denied

ADMIN = "adm"
STACK: dict[str, Any] = {
    "server": {"user": ADMIN, "superuser": False},
    "existingSchemas": {"public": None},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
SERVICES: dict[str, Any] = {"madansara": {"reads": ["public.users", "sankore.articles"]}, "sankore": None}


def test_the_whole_life_of_a_stack(projects: Projects) -> None:
    with projects() as project:
        project.database.run(
            f"CREATE ROLE {ADMIN} LOGIN CREATEROLE CREATEDB PASSWORD '{verifier(PASSWORD, b'salt')}'",
            f"ALTER DATABASE railway OWNER TO {ADMIN}",
            *(f"ALTER TABLE public.{table} OWNER TO {ADMIN}" for table in ("users", "brands", "brand_users")),
            # Without it the catalog views do not show it the services' tables, and no read of one is granted.
            f"GRANT pg_read_all_data TO {ADMIN}",
        )
        project.declare(services=SERVICES, **STACK)
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE articles (id int)")
        assert project.succeeds(project.up()).ops == {"madansara-reads-sankore.articles": "create"}
        assert project.succeeds(project.up("--refresh")).ops == {}
        with project.connect("madansara") as session:
            session.execute("SELECT * FROM public.users, sankore.articles")
            session.execute("CREATE TABLE things (id int)")
            denied(session, "INSERT INTO sankore.articles VALUES (1)")
            denied(session, "SELECT * FROM public.brands")
        with project.connect("analytics") as session:
            session.execute("SELECT * FROM public.brands, sankore.articles, madansara.things")
            denied(session, "DELETE FROM madansara.things")

        project.database.run("ALTER ROLE madansara_user CONNECTION LIMIT 99")
        project.declare(services={**SERVICES, "sankore": {"rotation": 2}}, **STACK)
        repaired = project.succeeds(project.up("--refresh"))
        assert repaired.ops.keys() == {"madansara-role", "sankore-role", "sankore-password"}
        with project.connect("sankore"), project.connect("madansara"):
            pass

        project.database.run("DROP TABLE sankore.articles, madansara.things")
        project.succeeds(project.destroy())
