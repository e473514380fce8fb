"""Fifty services at the engine's default parallelism: no two grants meet on one access list."""

from typing import Any

import pytest

from tests.engine.conftest import Projects

COUNT = 50


def services() -> dict[str, Any]:
    """Each reads one table that all others read too, and may use its neighbour's schema."""
    return {
        f"s{number:02}": {"connectionLimit": 1, "reads": ["public.users", f"s{(number + 1) % COUNT:02}.shared"]}
        for number in range(COUNT)
    }


@pytest.mark.timeout(600)
def test_fifty_services_come_up_are_refreshed_and_go(projects: Projects) -> None:
    with projects(
        services=services(),
        existingSchemas={"public": None},
        analytics={},
    ) as project:
        first = project.succeeds(project.up())
        assert len([name for name in first.ops if name.endswith("-schema")]) == COUNT
        project.succeeds(project.refresh("--expect-no-changes"))
        project.succeeds(project.destroy("--skip-preview"))
        assert project.database.value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 's%\\_user'") == 0
