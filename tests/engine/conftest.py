"""Stacks of the program on servers of their own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.admins import ADMINS, BACKEND, SUPERUSER, Admin
from tests.engine.leaks import assert_none
from tests.engine.program import THE_ADMIN, Project
from toolchain.engine import Engine
from toolchain.server import Server

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

only_superuser = pytest.mark.parametrize("admin", ["superuser"], indirect=True)
"""Of a test of what no other admin can do."""

Projects = Callable[..., AbstractContextManager[Project]]


@pytest.fixture(scope="session", params=ADMINS)
def admin(request: pytest.FixtureRequest) -> Admin:
    """Whom the stacks of a test are brought up with: every test of a stack is one of each kind's."""
    return ADMINS[request.param]


@pytest.fixture(scope="session")
def template(admin: Admin) -> Iterator[Server]:
    """The stopped server that every test's is copied from."""
    with databases.template(admin) as made:
        yield made


@pytest.fixture(scope="session")
def blank(engine: Engine, template: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that every test's stack is copied from."""
    folder = tmp_path_factory.mktemp("engine") / "blank"
    blanks.make_blank(engine, folder, databases.Database(template))
    return folder


@pytest.fixture(scope="session")
def projects(
    engine: Engine, admin: Admin, template: Server, blank: Path, tmp_path_factory: pytest.TempPathFactory
) -> Projects:
    """Gives a stack with these sections on a running server of its own; at its end no password may have leaked."""

    @contextmanager
    def given(**sections: Any) -> Iterator[Project]:
        with databases.copied(template, admin) as database:
            project = blanks.copied(blank, tmp_path_factory.mktemp("engine") / "project", engine, database)
            project.declare(**sections)
            yield project
            assert_none(project)

    return given


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
