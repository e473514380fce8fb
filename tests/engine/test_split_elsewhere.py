"""`bin/engarde split` to another server and back, and a service on Railway that gets its new URL."""

import psycopg
import pytest

from devtools.server import Server
from tests.conftest import Projects
from tests.engine import apart, rich_schema
from tests.engine.admins import Admin, only_createrole, only_superuser
from tests.engine.backups import state
from tests.engine.database import NAME
from tests.engine.delivered import STACK as DELIVERED
from tests.engine.delivered import delivery
from tests.engine.splitting import ROLE, SCHEMA, SERVICE, STACK, Writer, live, planned, split, tidied
from tests.engine.verifying import told, verified

pytestmark = pytest.mark.xdist_group("split-elsewhere")


@only_createrole
def test_another_server_and_back_and_for_good(projects: Projects, admin: Admin, template: Server) -> None:
    with projects() as project, apart.another(template, admin) as there:
        apart.declare(project, there, STACK["services"], extensions=STACK["extensions"])
        project.succeeds(project.up())
        with project.connect(SERVICE) as session:
            rich_schema.make(session, project.database.major)
        before = state(project)
        assert planned(project, SERVICE, "--to", apart.THERE)["remedies"] == []
        with Writer(project, (project.database, NAME), (there, NAME)) as writer:
            for command in (
                ("run", SERVICE, "--to", apart.THERE),
                ("back", SERVICE),
                ("run", SERVICE, "--to", apart.THERE),
            ):
                split(project, *command, "--yes")
                writer.waits(20)
        assert writer.ways == [0, 1, 0, 1]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            project.database.session(ROLE, project.outputs()["passwords"][ROLE])
        report = verified(project)
        assert not report.findings, told(report)
        with project.connect(SERVICE) as session:
            assert session.info.port == there.server.port
            assert live(session) == writer.words
            tidied(session)
        assert state(project) == before
        split(project, "finish", SERVICE, "--yes-drop-old")
        assert project.database.value("SELECT count(*) FROM pg_namespace WHERE nspname = %s", SCHEMA) == 0
        assert project.succeeds(project.preview("--expect-no-changes")).ops == {}
        apart.declare(project, there, STACK["services"], extensions=STACK["extensions"])
        older = project.up()
        assert (older.exit != 0, older.ops) == (True, {}), older.output
        assert f"{SERVICE}: schema {SCHEMA} has rows in" in older.output


@only_superuser
def test_a_service_on_railway_runs_with_its_new_url(projects: Projects) -> None:
    with projects(**DELIVERED) as project, delivery(project) as made:
        project.succeeds(project.up())
        login = ("madansara_user", project.outputs()["passwords"]["madansara_user"])
        with project.database.session(*login) as session:
            session.execute("CREATE TABLE things (word text); INSERT INTO things VALUES ('kept')")
        made.quick()
        made.states()
        made.quick()
        environment, run = made.fake.environment(made.token), ("run", "madansara", "--to", "m", "--yes")
        refused = split(project, *run, code=4, environment={**environment, "RAILWAY_TOKEN": "x"})
        assert "does not accept RAILWAY_TOKEN" in refused.stderr
        # Before the service was shut out.
        project.database.session(*login).close()
        assert "madansara: deployed" in split(project, *run, environment=environment).stderr
        assert made.running("madansara")["DATABASE_URL"].endswith("/m")
        made.quick()
        split(project, "back", "madansara", "--yes", environment=environment)
        assert made.running("madansara")["DATABASE_URL"].endswith(f"/{NAME}")
        with project.database.session(*login) as session:
            assert session.execute("SELECT word FROM things").fetchall() == [("kept",)]
