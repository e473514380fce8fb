"""The engine under test, and stacks of the program on servers of their own."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.collected import absent
from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.leaks import assert_none
from tests.engine.program import Project
from toolchain import engine as engines
from toolchain.engine import Engine
from toolchain.server import Server

OVERRIDE = "ENGARDE_TEST_TOOLCHAIN"

Projects = Callable[..., AbstractContextManager[Project]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what could not be collected on this machine."""
    if missing := absent():
        listed = "; ".join(f"{name}: {why}" for name, why in missing.items())
        terminalreporter.write_line(f"tests/drivers leaves out what has no runtime here: {listed}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The project's own engine with its plugins, or those of the folder that the environment names."""
    if not (folder := os.environ.get(OVERRIDE)):
        return engines.found()
    home = {"PULUMI_HOME": str(Path(folder, "home")), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    return Engine(binary=str(Path(folder, "bin/pulumi")), version="", official=True, environment=home)


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
