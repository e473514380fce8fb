"""Migrations that have not run, or are another's, and what cannot be dropped: its cause, the printed fix, and then."""

import json
from collections.abc import Iterator

import pytest

from engarde.doctor.causes import migrations, missing_relations, runs
from tests.engine.conftest import Projects
from tests.engine.diagnosing import diagnosed, heal, in_shell, said
from tests.engine.ills import Ill, ask, confirmed_first, named_and_healed, only_named
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("doctor-data")

SERVICES = {"madansara": None, "sankore": None, "onside": None, "field-notes": {"schema": "Field Notes"}}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, existingSchemas={"public": None}, analytics={}) as project:
        project.succeeds(project.up())
        ask(project, "sankore", 'CREATE TABLE things (id int); CREATE TABLE "Widgets" (id int)')
        yield project


ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine
import os
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url).connect() as connection:
    context.configure(connection=connection, target_metadata=None{more})
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
from alembic import op
revision, down_revision = "{name}", None
def upgrade():
    op.execute("CREATE TABLE {table} (id int)")
"""


def alembic(project: Project, name: str, table: str, more: str = "") -> None:
    """Makes the folder's migrations these alone."""
    versions = project.folder / "alembic/versions"
    versions.mkdir(parents=True, exist_ok=True)
    for old in versions.glob("*.py"):
        old.unlink()
    (project.folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    (project.folder / "alembic/env.py").write_text(ENVIRONMENT.replace("{more}", more))
    (versions / f"{name}.py").write_text(REVISION.format(name=name, table=table))


def test_migrations_that_have_not_run_and_those_of_another(project: Project) -> None:
    alembic(project, "aaa", "boards")
    named_and_healed(project, Ill(missing_relations.NOT_MIGRATED, "onside", "SELECT * FROM boards"))

    # Another checkout, which lacks what was applied.
    alembic(project, "bbb", "more_boards")
    run = 'DATABASE_URL="$(bin/engarde url onside --stack local)" alembic upgrade head'
    with pytest.raises(AssertionError, match="Can't locate revision identified by 'aaa'") as caught:
        in_shell(project, run)
    only_named(project, f"onside_user\n{caught.value}", migrations.OLDER, "code")


def test_the_alembic_version_in_public(project: Project) -> None:
    project.database.run(
        "CREATE TABLE public.alembic_version (version_num text)", "INSERT INTO public.alembic_version VALUES ('ccc')"
    )
    if not project.database.admin.superuser:
        project.database.run(f"ALTER TABLE public.alembic_version OWNER TO {project.database.admin.user}")
    project.database.run("GRANT SELECT ON public.alembic_version TO madansara_user")
    alembic(project, "ddd", "widgets")
    run = 'DATABASE_URL="$(bin/engarde url madansara --stack local)" alembic upgrade head'
    with pytest.raises(AssertionError, match="Can't locate revision identified by 'ccc'") as caught:
        in_shell(project, run)
    found = only_named(project, f"madansara_user {caught.value}", migrations.IN_PUBLIC, "code")
    assert 'version_table_schema="madansara"' in found["remedy"]["text"]
    alembic(project, "ddd", "widgets", ', version_table_schema="madansara"')
    in_shell(project, run)
    ask(project, "madansara", "SELECT * FROM widgets")
    project.database.run("DROP TABLE public.alembic_version")
    assert diagnosed(project, "madansara_user Can't locate revision identified by 'ccc'")[0] == 0


def test_a_schema_with_data_is_copied_before_it_is_dropped(project: Project) -> None:
    ask(project, "sankore", "INSERT INTO things VALUES (42)")
    text = said(lambda: ask(project, "sankore", "DROP SCHEMA sankore"))
    code, found = diagnosed(project, text)
    confirmed_first(code, found, runs.DATA)
    assert found["remedy"]["text"] == "bin/engarde retire sankore --stack local"
    heal(project, found["remedy"])
    [manifest] = (project.folder / "backups").rglob("manifest.json")
    assert json.loads(manifest.read_text())["manifest"]["service"] == "sankore"
    assert diagnosed(project, text)[0] == 0


def test_a_schema_of_nobody_is_dropped_by_decision(project: Project) -> None:
    project.database.run("CREATE SCHEMA left_over CREATE TABLE things (id int)")
    text = said(lambda: project.database.run("DROP SCHEMA left_over"))
    found = only_named(project, text, runs.DATA, "decision")
    assert found["remedy"]["text"].endswith('DROP SCHEMA "left_over" CASCADE;')
    project.database.run(found["remedy"]["text"])
    assert diagnosed(project, text)[0] == 0


def test_a_role_that_owns_something(project: Project) -> None:
    project.database.run(
        "CREATE ROLE leaver", "CREATE TABLE public.kept (id int)", "ALTER TABLE public.kept OWNER TO leaver"
    )
    me = project.database.admin
    if not me.superuser:
        project.database.run(f"GRANT leaver TO {me.user} WITH ADMIN OPTION")
    text = said(lambda: project.database.run("DROP ROLE leaver"))
    code, found = diagnosed(project, text)
    confirmed_first(code, found, runs.ROLE)
    heal(project, found["remedy"])
    assert diagnosed(project, text)[0] == 0
    project.database.run("DROP ROLE leaver", "DROP TABLE public.kept")
    assert diagnosed(project, text)[0] == 0
