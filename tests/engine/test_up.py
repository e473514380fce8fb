"""The first run and the ones after it."""

import pytest

from tests.engine.admins import both_admins
from tests.engine.conftest import SHARED, Projects
from tests.engine.order import collisions
from tests.engine.program import Project


@both_admins
def test_from_nothing_to_everything_and_back(projects: Projects) -> None:
    with projects(**SHARED) as project:
        before = project.database.mark()
        preview = project.succeeds(project.preview("--diff"))
        assert set(preview.ops.values()) == {"create"}
        assert project.database.changes(before) == []

        first = project.succeeds(project.up())
        assert first.ops == preview.ops
        assert project.database.changes(before)
        assert collisions(project.resources()) == []

        destroyed = project.succeeds(project.destroy())
        assert destroyed.ops == dict.fromkeys(first.ops, "delete")


@pytest.mark.xdist_group("shared")
def test_a_second_run_changes_nothing(shared: Project) -> None:
    """Whatever the services have made meanwhile."""
    before = shared.database.mark()
    assert shared.succeeds(shared.preview("--diff", "--expect-no-changes")).ops == {}
    assert shared.succeeds(shared.up()).ops == {}
    assert shared.succeeds(shared.up("--refresh", "--expect-no-changes")).exit == 0
    assert shared.database.changes(before) == []
