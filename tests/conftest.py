"""The engine under test, stacks of the program on servers of their own, and which part of the tests is run."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from devtools.server import Server
from launcher.engine import Engine
from tests.drivers.collected import absent
from tests.engine import blank as blanks
from tests.engine import copies
from tests.engine import database as databases
from tests.engine.admins import ADMINS, SUPERUSER, Admin
from tests.engine.leaks import assert_none
from tests.engine.program import Project
from tests.engines import under_test
from tests.parts import MAJORS, PARTS, USUAL, part_of, within
from tests.servers import MAJOR
from tests.warm.processes import warm

Projects = Callable[..., AbstractContextManager[Project]]
Stacks = Callable[..., AbstractContextManager[Project]]
Templates = Callable[[Admin], Server]

LEFT = pytest.StashKey[dict[str, int]]()
"""How many tests of each part were collected and not run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "; ".join(f"{part}: {what}" for part, what in PARTS.items())
    parser.addoption("--part", choices=PARTS, help=f"runs one part of the tests instead of all. {told}")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT] = {}
    # A shell has what it starts in the background ignore interrupts, and what a test starts would ignore them, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A terminal's width is not that of the pipes that tests read.
    os.environ.pop("COLUMNS", None)
    if major := MAJORS.get(config.getoption("part")):
        os.environ[MAJOR] = str(major)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if part := config.getoption("part"):
        left = [each for each in items if not within(part, each)]
        items[:] = [each for each in items if within(part, each)]
        config.hook.pytest_deselected(items=left)
        config.stash[LEFT] = dict(Counter(map(part_of, left)))
    # Where workers collect, this is how the one who reports learns of it.
    if (output := getattr(config, "workeroutput", None)) is not None:
        output["left"] = config.stash[LEFT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # Each has collected all; one that died says nothing.
    if left := getattr(node, "workeroutput", {}).get("left"):
        node.config.stash[LEFT] = left


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names what could not be collected on this machine, and what another part runs."""
    if missing := absent():
        listed = "; ".join(f"{name}: {why}" for name, why in missing.items())
        terminalreporter.write_line(f"tests/drivers leaves out what has no runtime here: {listed}")
    if config.getoption("part") == USUAL and (left := config.stash[LEFT]):
        parts = ", ".join(f"PART={part} has {count}" for part, count in sorted(left.items()))
        terminalreporter.write_line(f"{sum(left.values())} tests were left to `make test-all`: {parts}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    return warm(under_test())


@pytest.fixture(scope="session", params=["superuser", pytest.param("createrole", marks=pytest.mark.admins)])
def admin(request: pytest.FixtureRequest) -> Admin:
    """Whom the stacks of a test are brought up with.

    Every test of a stack is one of each kind's. `make test` runs the superuser's, and the other's where the test names
    it itself: `both_admins`, `only_createrole`.
    """
    return ADMINS[request.param]


@pytest.fixture(scope="session")
def templates() -> Iterator[Templates]:
    """Gives the stopped server that those of an admin's tests are copied from; each is made once."""
    with ExitStack() as stack:
        yield cache(lambda admin: stack.enter_context(databases.template(admin)))


@pytest.fixture(scope="session")
def template(templates: Templates, admin: Admin) -> Server:
    """The stopped server that every test's is copied from."""
    return templates(admin)


@pytest.fixture(scope="session")
def blank(engine: Engine, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that every test's stack is copied from, whoever brings it up."""
    folder = tmp_path_factory.mktemp("engine") / "blank"
    blanks.make_blank(engine, folder, databases.Database(templates(SUPERUSER)))
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
def stacks(
    projects: Projects, engine: Engine, admin: Admin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stacks]:
    """Gives a stack with these sections that is up, on a running server of its own, as `prepare` has left it.

    That is done once, whoever asks: all get copies of it, and may do with theirs what they like.
    """
    known: dict[tuple[str, Callable[[Project], None]], copies.Original] = {}
    with ExitStack() as originals:

        def folder() -> Path:
            return tmp_path_factory.mktemp("engine") / "project"

        @contextmanager
        def given(prepare: Callable[[Project], None] = copies.brought_up, **sections: Any) -> Iterator[Project]:
            key = json.dumps(sections, sort_keys=True), prepare
            if key not in known:
                with projects(**sections) as project:
                    prepare(project)
                    known[key] = originals.enter_context(copies.original(project, folder()))
            with copies.copied(known[key], folder(), engine, admin) as project:
                yield project

        yield given
