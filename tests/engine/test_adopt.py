"""The first run on a database where the guide's script has already made the schemas and the roles."""

from typing import Any

import psycopg
import pytest

from engarde.server.credentials import scram_salt, scram_verifier
from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import STACK, Project

SERVICES = ("madansara", "sankore")
OLD = "OfTheGuidesScript{}"
READER = "analytics_readonly"

ROLE = "SELECT row_to_json(a)::text FROM pg_authid a WHERE rolname = 'madansara_user'"
OWNER = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s"


def guide(project: Project) -> None:
    """What the manual procedure leaves behind; of the schemas one stays the admin's and one is the role's."""
    script(
        project,
        f"CREATE ROLE {READER} LOGIN PASSWORD '{OLD.format(READER)}'",
        f"GRANT CONNECT ON DATABASE railway TO {READER}",
    )
    for service in SERVICES:
        role = f"{service}_user"
        script(
            project,
            f"CREATE SCHEMA {service}",
            f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{OLD.format(role)}'",
            f"GRANT CONNECT ON DATABASE railway TO {role}",
            f"GRANT USAGE, CREATE ON SCHEMA {service} TO {role}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {service} TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service} GRANT ALL ON TABLES TO {role}",
            f"ALTER ROLE {role} SET search_path = {service}, public",
            # From PostgreSQL 16 on the maker of a role may not act as it until it says so.
            f"GRANT {role} TO CURRENT_USER",
            f"GRANT USAGE ON SCHEMA {service} TO {READER}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {service} TO {READER}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service} GRANT SELECT ON TABLES TO {READER}",
            f"SET ROLE {role}",
            f"CREATE TABLE {service}.things (id serial, word text)",
            f"INSERT INTO {service}.things (word) VALUES ('kept')",
            "RESET ROLE",
            f"REVOKE {role} FROM CURRENT_USER",
        )
    project.database.run("ALTER SCHEMA sankore OWNER TO sankore_user")


def script(project: Project, *statements: str) -> None:
    """As whom the stack is brought up with."""
    project.database.run_as(project.database.admin, *statements)


def declare(project: Project, **of_each: Any) -> None:
    project.declare(services=dict.fromkeys(SERVICES, of_each), existingSchemas={"public": None}, analytics={**of_each})


def test_roles_that_exist_are_left_alone_until_they_are_adopted(projects: Projects) -> None:
    with projects() as project:
        guide(project)
        untouched = project.database.value(ROLE)

        declare(project)
        before = project.database.mark()
        refused = project.up()
        assert refused.exit != 0
        for role in ("madansara_user", "sankore_user", READER):
            assert f"role {role} already exists but is not managed by this stack: set `adopt: true`" in refused.output
        assert "schema sankore already exists" not in refused.output
        assert project.database.changes(before) == []
        assert project.database.value(ROLE) == untouched
        with project.database.session("madansara_user", OLD.format("madansara_user")):
            pass

        declare(project, adopt=True)
        before = project.database.mark()
        project.succeeds(project.preview("--diff"))
        assert project.database.changes(before) == []
        project.succeeds(project.up("--diff"))
        assert project.succeeds(project.preview("--diff", "--expect-no-changes")).ops == {}
        assert project.succeeds(project.up("--refresh")).ops == {}

        passwords = project.outputs()["passwords"]
        for service in SERVICES:
            role = f"{service}_user"
            expected = scram_verifier(passwords[role], scram_salt("engarde", STACK, role, 1))
            stored = "SELECT rolpassword = %s AND NOT rolcreatedb FROM pg_authid WHERE rolname = %s"
            assert project.database.value(stored, expected, role)
            assert project.database.value(OWNER, service) == role
            with project.connect(service) as session:
                assert session.execute("SELECT word FROM things").fetchall() == [("kept",)]
                session.execute("ALTER TABLE things ADD COLUMN more text")
                session.execute("CREATE TABLE later (id int)")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                project.database.session(role, OLD.format(role))
        with project.connect("analytics") as session:
            session.execute("SELECT * FROM madansara.things, madansara.later, sankore.things, sankore.later")
            denied(session, "INSERT INTO madansara.things DEFAULT VALUES")
        with project.connect("madansara") as session:
            denied(session, "SELECT * FROM sankore.things")

        # Once the state knows the roles, the word is no longer needed.
        declare(project)
        assert project.succeeds(project.up()).ops == {}


@only_superuser
def test_what_is_to_be_adopted_and_does_not_exist_is_made(projects: Projects) -> None:
    """On a new server, and where a role that the state knows is lost."""
    with projects(services={"sankore": {"adopt": True}}, analytics={"adopt": True}) as project:
        made = project.succeeds(project.up()).ops
        assert made["sankore-role"] == made["analytics-role"] == "create"
        project.database.run("DROP SCHEMA sankore", "DROP OWNED BY sankore_user", "DROP ROLE sankore_user")
        made = project.succeeds(project.up("--refresh")).ops
        assert made["sankore-role"] == "create"
        project.succeeds(project.destroy())
        made = project.succeeds(project.up()).ops
        assert made["analytics-role"] == "create"
