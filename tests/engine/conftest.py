"""Stacks of the program on servers of their own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.database import BACKEND
from tests.engine.leaks import assert_none
from tests.engine.program import Project
from toolchain.engine import Engine
from toolchain.server import Server

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

Projects = Callable[..., AbstractContextManager[Project]]


@pytest.fixture(scope="session")
def template() -> Iterator[Server]:
    """The stopped server that every test's is copied from."""
    with databases.template() as made:
        yield made


@pytest.fixture(scope="session")
def blank(engine: Engine, template: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that every test's stack is copied from."""
    folder = tmp_path_factory.mktemp("engine") / "blank"
    blanks.make_blank(engine, folder, databases.Database(template))
    return folder


@pytest.fixture(scope="session")
def projects(engine: Engine, template: Server, blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Projects:
    """Gives a stack with these sections on a running server of its own; at its end no password may have leaked."""

    @contextmanager
    def given(**sections: Any) -> Iterator[Project]:
        with databases.copied(template) as database:
            project = blanks.copied(blank, tmp_path_factory.mktemp("engine") / "project", engine, database)
            project.declare(**sections)
            yield project
            assert_none(project)

    return given


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
