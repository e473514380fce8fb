"""What is declared under another name or for another service: refused untouched, and done as the message says."""

import re
from typing import Any

import pytest

from tests.engine.conftest import Projects, Stacks
from tests.engine.denied import denied
from tests.engine.program import Project
from tests.engine.test_faults import one_message

READER = {"reads": ["other.shared"]}

pytestmark = pytest.mark.xdist_group("renames")


def declare(project: Project, **madansara: Any) -> None:
    project.declare(services={"madansara": {**READER, **madansara}, "other": None}, analytics={})


def refused(project: Project) -> str:
    """What a run says that changes nothing."""
    before = project.database.mark()
    run = project.up()
    assert run.ops == {}
    assert project.database.changes(before) == []
    return one_message(run)


def test_a_schema_is_renamed_by_hand(projects: Projects) -> None:
    with projects() as project:
        declare(project)
        project.succeeds(project.up())
        for service in ("madansara", "other"):
            with project.connect(service) as session:
                session.execute("CREATE TABLE shared (id int)")
        project.succeeds(project.up())

        declare(project, schema="Madan Sara")
        [statement] = re.findall(r"cannot be renamed to Madan Sara in one step: .*? or run `(.*?)`", refused(project))
        with project.database.session() as session:
            session.execute(statement.encode())
        project.succeeds(project.refresh())
        project.succeeds(project.up())
        project.succeeds(project.preview("--expect-no-changes"))
        project.succeeds(project.refresh("--expect-no-changes"))
        with project.connect("madansara") as session:
            session.execute("SELECT * FROM shared, other.shared AS theirs")
            session.execute("CREATE TABLE later (id int)")
            denied(session, "DROP TABLE other.shared")
        with project.connect("analytics") as session:
            session.execute('SELECT * FROM "Madan Sara".later, "Madan Sara".shared')


def test_a_service_does_not_take_what_was_made_for_another(stacks: Stacks) -> None:
    with stacks(services={"madansara": None}) as project:
        project.declare(services={"renamed": {"role": "madansara_user", "schema": "madansara"}})
        said = refused(project)
        for what in ("role madansara_user", "schema madansara"):
            assert f"{what} was created for madansara and cannot go to another: keep it there, or rename" in said


def test_a_role_keeps_its_name(stacks: Stacks) -> None:
    with stacks(services={"madansara": None}) as project:
        project.declare(services={"madansara": {"role": "other"}})
        assert "role madansara_user was created for madansara, but the stack file declares other" in refused(project)
