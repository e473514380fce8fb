"""Rows that a run would leave behind: refused, unless the stack file or an open move names just that."""

from collections.abc import Iterator
from typing import Any

import pytest

from devtools.server import HOST, Server
from tests.conftest import Projects
from tests.engine.admins import Admin
from tests.engine.apart import OWN, another, make_database, rows
from tests.engine.backups import tool
from tests.engine.database import NAME
from tests.engine.program import Project, Run

pytestmark = pytest.mark.xdist_group("left-behind")

HOME: dict[str, Any] = {"database": OWN}
RAILWAY = {"project": "engarde", "environment": "production"}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects() as made:
        make_database(made, OWN)
        declare(made, **HOME)
        made.succeeds(made.up())
        with made.connect("langflow") as session:
            session.execute("CREATE TABLE flow (id int); CREATE TABLE empty (id int); INSERT INTO flow VALUES (1)")
        yield made


def declare(project: Project, server: dict[str, Any] | None = None, **langflow: Any) -> None:
    project.declare(services={"langflow": langflow, "sankore": None}, server=server or {}, railway=RAILWAY)


def refused(run: Run) -> str:
    assert (run.exit != 0, run.ops) == (True, {}), run.output
    return run.output


def test_a_stack_file_without_its_line_is_refused(project: Project) -> None:
    declare(project)
    for run in (project.preview(), project.up()):
        said = refused(run)
        assert f"langflow: schema langflow has rows in 1 table in database {OWN}" in said
        assert f"has the service in {NAME}" in said
        assert "leaves: [its own.langflow]" in said
    assert rows(project.database, OWN, "SELECT id FROM langflow.flow") == [(1,)]
    pushed = tool(project, "railway", "push", code=2, RAILWAY_TOKEN="none that is asked")
    assert "the URL of langflow was edited in the stack file" in pushed.stderr


def test_so_is_one_with_another_database_or_server_of_that_name(project: Project) -> None:
    make_database(project, "another")
    declare(project, database="another")
    assert "has the service in another" in refused(project.preview())
    declare(project, leaves=["another.langflow"])
    assert "would leave rows behind" in refused(project.preview())


def test_a_service_that_is_gone_from_it_is_not_told_to_be_dropped(project: Project) -> None:
    project.declare(services={"sankore": None}, railway=RAILWAY)
    said = refused(project.preview())
    assert "any more, but they are not empty: langflow (2 objects)" in said
    assert "DROP OWNED" not in said


def test_a_schema_of_that_name_in_another_database_is_another_one(project: Project) -> None:
    with project.connect("sankore") as session:
        session.execute("CREATE TABLE kept (id int)")
    new = {"database": OWN, "schema": "sankore"}
    project.declare(services={"langflow": HOME, "new": new}, railway=RAILWAY)
    said = refused(project.up())
    assert "any more, but they are not empty: sankore (1 objects)" in said


def test_a_locked_table_keeps_nobody_waiting_and_may_have_rows(project: Project) -> None:
    declare(project)
    with project.database.session(database=OWN) as session, session.transaction():
        session.execute("LOCK TABLE langflow.flow, langflow.empty")
        assert "has rows in 2 tables" in refused(project.preview())


def test_the_word_for_one_change_lets_it_through_once(project: Project) -> None:
    word = f"{OWN}.langflow"
    declare(project, leaves=[word])
    project.succeeds(project.up())
    assert rows(project.database, OWN, "SELECT id FROM langflow.flow") == [(1,)]
    declare(project, leaves=[word, "no\x1b.where"])
    told = project.succeeds(project.preview())
    assert f"engarde:services.langflow.leaves: nothing is left in {word} any more" in told.output
    assert r"nothing is left in no\x1b.where any more" in told.output
    declare(project, leaves=[word], **HOME)
    assert "engarde:services.langflow.leaves[0]: is its current place" in refused(project.preview())
    # What holds no rows is left without a word.
    declare(project, **HOME)
    assert "leaves" not in project.succeeds(project.up()).output


def test_another_address_of_the_same_server_leaves_nothing(project: Project) -> None:
    declare(project, {"host": "localhost"}, **HOME)
    project.succeeds(project.preview())


def test_a_server_without_the_rows_is_refused(project: Project, admin: Admin, template: Server) -> None:
    old, there = f"{HOST}:{project.database.server.port}", {}
    with another(template, admin) as new:
        make_database(Project(project.engine, project.folder, new), OWN)
        there = {"port": new.server.port}
        declare(project, there, **HOME)
        said = refused(project.preview())
        assert f"is in database {old}/{OWN} by the state" in said
        assert "schema langflow has rows in 1 table" in said
        declare(project, {**there, "leaves": [f"{old}/{NAME}"]}, **HOME)
        assert f"leaves: ['{old}/{OWN}']" in refused(project.preview())
        declare(project, {**there, "leaves": [f"{old}/{NAME}", f"{old}/{OWN}"]}, **HOME)
        project.succeeds(project.up("--refresh"))
        told = project.succeeds(project.preview())
        assert f"engarde:server.leaves: the state has nothing at {old}/{OWN} any more" in told.output
    declare(project, **HOME)
    assert "it could not be checked whether they have rows" in refused(project.preview())
    declare(project, {"leaves": [f"{old}/{NAME}"]}, **HOME)
    assert "engarde:server.leaves[0]: is its current place" in refused(project.preview())
