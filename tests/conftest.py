"""The engine under test, and stacks of the program on servers of their own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.collected import absent
from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.admins import ADMINS, Admin
from tests.engine.leaks import assert_none
from tests.engine.program import Project
from tests.engines import under_test
from toolchain.engine import Engine
from toolchain.server import Server

Projects = Callable[..., AbstractContextManager[Project]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what could not be collected on this machine."""
    if missing := absent():
        listed = "; ".join(f"{name}: {why}" for name, why in missing.items())
        terminalreporter.write_line(f"tests/drivers leaves out what has no runtime here: {listed}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    return under_test()


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
