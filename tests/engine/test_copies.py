"""What the tests of stacks that are up rest on: a copy is the stack itself, and nobody else's."""

import pytest

from tests.conftest import Stacks
from tests.engine.copies import untouched
from tests.engine.program import STACK_FILE, Project

pytestmark = pytest.mark.xdist_group("copies")
SECTIONS = {"services": {"madansara": None, "sankore": {"urlFormat": "jdbc"}}, "analytics": {}}


def rows(project: Project) -> list[tuple[str]]:
    with project.connect("madansara") as session:
        return session.execute("SELECT word FROM things").fetchall()


def with_a_row(project: Project) -> None:
    project.succeeds(project.up())
    with project.connect("madansara") as session:
        session.execute("CREATE TABLE things (word text); INSERT INTO things VALUES ('kept')")


def test_what_is_changed_in_a_stack_that_others_look_at_is_noticed(stacks: Stacks) -> None:
    with stacks(with_a_row, **SECTIONS) as project:
        with untouched(project), project.connect("madansara") as session:
            session.execute("SELECT word FROM things; CREATE TEMPORARY TABLE t ()")
        for statement, what in {
            "ALTER ROLE sankore_user CONNECTION LIMIT 1": "sankore_user",
            "GRANT SELECT ON madansara.things TO PUBLIC": "madansara.things",
            "CREATE FUNCTION sankore.left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'": "left_behind",
        }.items():
            with pytest.raises(AssertionError, match=what), untouched(project):
                project.database.run(statement)
        with pytest.raises(AssertionError, match=STACK_FILE), untouched(project):
            project.declare(services={"madansara": None})


def test_a_copy_is_the_stack_itself_and_nobody_elses(stacks: Stacks) -> None:
    with stacks(with_a_row, **SECTIONS) as first, stacks(with_a_row, **SECTIONS) as second:
        assert first.database.server.port != second.database.server.port
        assert first.outputs()["passwords"] == second.outputs()["passwords"]
        for project in (first, second):
            assert rows(project) == [("kept",)]
            assert str(project.database.server.port) in project.outputs()["database_urls"]["sankore"]
        with first.connect("madansara") as session:
            session.execute("DROP TABLE things")
        first.database.run("DROP OWNED BY sankore_user", "ALTER ROLE sankore_user CONNECTION LIMIT 1")
        assert rows(second) == [("kept",)]
        # Neither the engine nor the tool can tell that it was never brought up here.
        assert second.succeeds(second.preview("--refresh", "--expect-no-changes")).ops == {}
        verified = second.tool("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert first.tool("verify").returncode == 1
    with stacks(with_a_row, **SECTIONS) as third:
        assert rows(third) == [("kept",)]
        assert third.succeeds(third.up("--refresh", "--expect-no-changes")).ops == {}
