"""`alembic check` and `alembic init` for a service whose SQLAlchemy is 2.1."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Projects
from tests.drivers.runtimes import SQLALCHEMY_2_1
from tests.engine.admins import only_superuser
from tests.engine.in_process import tool_here
from tests.unit.alembic_projects import ASYNC, alembic, changed, made

PLAIN = changed(
    changed(ASYNC, '.replace("postgresql://", "postgresql+asyncpg://", 1)', ""),
    """connect_args={"server_settings": {"search_path": f'"{SCHEMA}"'}}""",
    """connect_args={"options": f'-c search_path="{SCHEMA}"'}""",
)
"""An asynchronous engine of a URL that names no driver."""

FIRST = """
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE things (id int)")
"""


def newer() -> list[str]:
    """Alembic's own command, with SQLAlchemy 2.1."""
    return ["env", f"PYTHONPATH={SQLALCHEMY_2_1.prepared()}", sys.executable, "-m", "alembic"]


def found(folder: Path, command: list[str]) -> list[str]:
    """What is found of that env.py once the service's own Alembic has run it."""
    project = made(folder, {"migrations": {"path": str(folder), "command": command}})
    return [f"{finding.check}: {finding.actual}" for finding in project.found(PLAIN, run=True)]


def test_what_is_run_has_the_services_own_default_driver(tmp_path: Path) -> None:
    assert "driver: a URL for psycopg2" in found(tmp_path / "2.0", alembic())
    assert found(tmp_path / "2.1", newer()) == []


@only_superuser
def test_what_init_writes_migrates(projects: Projects, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sqlalchemy==2.1.9\n")
    with projects(services={"madansara": None}) as project:
        project.succeeds(project.up())
        assert tool_here(project, "alembic", "init", "madansara", str(tmp_path), "--yes").returncode == 0
        (tmp_path / "migrations/versions").mkdir()
        (tmp_path / "migrations/versions/first.py").write_text(FIRST)
        given = {"PATH": os.environ["PATH"], "DATABASE_URL": project.outputs()["database_urls"]["madansara"]}
        done = subprocess.run([*newer(), "upgrade", "head"], cwd=tmp_path, env=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'madansara'"
        assert {name for (name,) in project.database.rows(tables)} == {"alembic_version", "things"}
