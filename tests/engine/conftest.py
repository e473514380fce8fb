"""A stack much like production's."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from launcher.engine import Engine
from tests.brownfield import day_zero
from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import ADOPT_ONLY
from tests.conftest import Projects as Projects
from tests.conftest import Stacks as Stacks
from tests.engine import backups, rich_schema
from tests.engine import blank as blanks
from tests.engine.admins import BACKEND, SUPERUSER, Admin
from tests.engine.copies import untouched
from tests.engine.leaks import assert_none
from tests.engine.program import THE_ADMIN, Project

Brownfields = Callable[..., AbstractContextManager[tuple[DayZero, Project]]]

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
        with untouched(project):
            yield project


@pytest.fixture(scope="session")
def kept_stack(projects: Projects) -> Iterator[Project]:
    """A stack with a service that has something of everything."""
    with projects(**backups.STACK) as project:
        project.succeeds(project.up())
        with project.connect(backups.SERVICE) as session:
            rich_schema.make(session, project.database.major)
        # Declared reads are granted once their tables are there.
        project.succeeds(project.up())
        yield project


@pytest.fixture(scope="session")
def kept(kept_stack: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of that service as it was made."""
    folder = tmp_path_factory.mktemp("backups") / "kept"
    backups.tool(kept_stack, "backup", backups.SERVICE, "--to", str(folder))
    return folder


@pytest.fixture
def there(kept_stack: Project, kept: Path) -> Iterator[Project]:
    """The service as it was made, before and after the test."""
    yield kept_stack
    backups.tool(kept_stack, "restore", backups.SERVICE, "--from", str(kept), "--yes-replace-data")


@pytest.fixture(scope="session")
def brownfields(
    engine: Engine, admin: Admin, blank: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Brownfields]:
    """Gives day zero on a running server of its own, and a stack there with these sections that was never up.

    At its end no password may have leaked, neither the stack's nor those of day zero.
    """
    with day_zero.template(admin) as template:

        @contextmanager
        def given(**sections: Any) -> Iterator[tuple[DayZero, Project]]:
            with day_zero.copied(template) as zero:
                project = blanks.copied(blank, tmp_path_factory.mktemp("brownfield") / "project", engine, zero.database)
                project.passwords.update(zero.passwords.values())
                project.declare(**{"shutOut": [], **sections})
                yield zero, project
                assert_none(project)

        yield given


@pytest.fixture(scope="module")
def adopting(brownfields: Brownfields) -> Iterator[tuple[DayZero, Project]]:
    """Day zero, and a stack file that says of its roles only that they are taken over."""
    with brownfields(**ADOPT_ONLY) as made:
        yield made


@pytest.fixture(scope="module")
def zero(adopting: tuple[DayZero, Project]) -> DayZero:
    return adopting[0]
