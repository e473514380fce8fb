"""Migrations that are led to a pooler are refused, by the tool and by the services' own env.py."""

import os
import subprocess
import sys
from pathlib import Path

from devtools.local.demo import SERVICES
from devtools.server import HOST
from tests.conftest import Projects
from tests.drivers import pgbouncer
from tests.drivers.pgbouncer import PgBouncer
from tests.engine.admins import only_superuser
from tests.engine.database import NAME
from tests.engine.program import Project

pytestmark = only_superuser

NAMES = ("langflow", "sankore")
"""One with psycopg, one with asyncpg."""

VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL"


def test_a_pooler_in_between(projects: Projects) -> None:
    command = [sys.executable, "-m", "alembic"]
    services = {name: {"migrations": {"path": str(SERVICES / name), "command": command}} for name in NAMES}
    with projects(services=services) as project, pgbouncer.running(project.database.server) as pooler:
        project.succeeds(project.up())
        pooler.learn(dict(project.database.rows(VERIFIERS)))
        for name in NAMES:
            # Again and again: what a driver prepared stays behind in the pooler's one session.
            for _ in range(3):
                code, said = _alembic(project, pooler, name)
                assert code != 0
                assert "DATABASE_URL leads to a pooler, but migrations need the server's own address" in said
                assert "Traceback" not in said
        project.declare(services=services, server={"port": pooler.port})
        done = project.tool("migrate", "--all")
        assert done.returncode == 2
        assert done.stdout.count("is the address of a pooler") == len(NAMES)
        assert project.database.value("SELECT count(*) FROM pg_tables WHERE schemaname = ANY(%s)", list(NAMES)) == 0


def _alembic(project: Project, pooler: PgBouncer, name: str) -> tuple[int, str]:
    role = f"{name}_user"
    url = f"postgresql://{role}:{project.outputs()['passwords'][role]}@{HOST}:{pooler.port}/{NAME}"
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=Path(SERVICES / name),
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr
