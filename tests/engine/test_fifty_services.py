"""Fifty services at the engine's default parallelism: no two grants meet on one access list."""

import pytest

from tests.engine.conftest import Projects
from tests.engine.neighbours import neighbours

COUNT = 50


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_fifty_services_come_up_are_refreshed_and_go(projects: Projects) -> None:
    with projects(**neighbours(COUNT)) as project:
        first = project.succeeds(project.up())
        assert len([name for name in first.ops if name.endswith("-schema")]) == COUNT
        project.succeeds(project.refresh("--expect-no-changes"))
        project.succeeds(project.destroy("--skip-preview"))
        assert project.database.value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 's%\\_user'") == 0
