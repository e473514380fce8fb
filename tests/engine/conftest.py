"""A stack much like production's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Projects as Projects
from tests.engine.admins import BACKEND, SUPERUSER, Admin
from tests.engine.program import THE_ADMIN, Project

SHARED: dict[str, Any] = {
    "services": {
        "madansara": {
            "connectionLimit": 2,
            "statementTimeout": 30_000,
            "idleInTransactionSessionTimeout": 5_000,
            "reads": ["public.users", {"table": "public.brands", "columns": ["id"]}],
        },
        "sankore": {"urlFormat": "jdbc"},
        "onside": {"urlFormat": "sqlalchemy+asyncpg"},
        "langflow": None,
        "field-notes": {"schema": "Field Notes", "urlFormat": "options"},
    },
    "existingSchemas": {"public": {"service": "production-backend", "creators": [THE_ADMIN, BACKEND]}},
    "analytics": {"connectionLimit": 3},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}


@pytest.fixture(scope="session")
def shared(projects: Projects, admin: Admin) -> Iterator[Project]:
    """A stack much like production's, brought up, with a table in each schema: to look at and to log in to."""
    # Only a superuser may say who connects to what is not its own.
    server = {"closeOtherDatabases": True} if admin == SUPERUSER else {}
    with projects(server=server, **SHARED) as project:
        project.database.run_as(admin, "CREATE TABLE public.undeclared (id serial PRIMARY KEY, word text)")
        project.succeeds(project.up())
        for service in SHARED["services"]:
            with project.connect(service) as session:
                session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
        yield project
