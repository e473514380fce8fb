"""Roles that make tables in an existing schema: one that comes or goes leaves what analytics has of the others."""

from typing import Any

import pytest

from tests.engine.admins import BACKEND, only_superuser
from tests.engine.conftest import Projects
from tests.engine.in_process import tool_here
from tests.engine.program import THE_ADMIN, Project

pytestmark = [only_superuser, pytest.mark.xdist_group("creators")]

FIRST = {f"analytics-future-{kind}-public-postgres": kind for kind in ("tables", "sequences")}
SECOND = {f"analytics-future-{kind}-public-{BACKEND}": kind for kind in ("tables", "sequences")}

OUTSIDE = {f"outside-{BACKEND}-usage-public": "update"}


def declared(*creators: str) -> dict[str, Any]:
    return {
        "services": {"sankore": None},
        "existingSchemas": {"public": {"creators": list(creators)}},
        "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"] if BACKEND in creators else ["USAGE"]}}},
        "analytics": {},
    }


def verified(project: Project) -> None:
    looked = tool_here(project, "verify")
    assert looked.returncode == 0, looked.stdout + looked.stderr


def test_a_creator_comes_and_goes(projects: Projects) -> None:
    with projects(**declared(THE_ADMIN)) as project:
        project.succeeds(project.up())
        verified(project)
        # As versions named it that left the only creator out.
        for name, kind in FIRST.items():
            urn = project.resources()[name]["urn"]
            renamed = project.pulumi("state", "rename", urn, f"analytics-future-{kind}-public", "--yes")
            assert renamed.returncode == 0, renamed.stdout
        project.declare(**declared(THE_ADMIN, BACKEND))
        assert project.succeeds(project.up()).ops == {**dict.fromkeys(SECOND, "create"), **OUTSIDE}
        verified(project)
        project.declare(**declared(THE_ADMIN))
        assert project.succeeds(project.up()).ops == {**dict.fromkeys(SECOND, "delete"), **OUTSIDE}
        verified(project)
        assert project.succeeds(project.preview("--refresh")).ops == {}
