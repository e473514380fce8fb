"""A stack much like production's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Projects as Projects
from tests.engine.database import BACKEND
from tests.engine.program import Project

SHARED: dict[str, Any] = {
    "server": {"closeOtherDatabases": True},
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
    "existingSchemas": {"public": {"service": "production-backend", "creators": ["postgres", BACKEND]}},
    "analytics": {"connectionLimit": 3},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}


@pytest.fixture(scope="session")
def shared(projects: Projects) -> Iterator[Project]:
    """A stack much like production's, brought up, with a table in each schema: to look at and to log in to."""
    with projects(**SHARED) as project:
        project.database.run("CREATE TABLE public.undeclared (id serial PRIMARY KEY, word text)")
        project.succeeds(project.up())
        for service in SHARED["services"]:
            with project.connect(service) as session:
                session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
        yield project
