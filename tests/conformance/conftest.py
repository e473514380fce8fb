"""The engine under test, and templates of servers."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.database import template
from tests.conformance.recording import Scenario
from toolchain import engine as engines
from toolchain.server import Server

OVERRIDE = "ENGARDE_TEST_TOOLCHAIN"

Template = Callable[[Scenario], Server]


@pytest.fixture(scope="session")
def engine() -> engines.Engine:
    """The project's own engine with its plugins, or those of the folder that the environment names."""
    if not (folder := os.environ.get(OVERRIDE)):
        return engines.found()
    home = Path(folder, "home")
    return engines.Engine(
        binary=str(Path(folder, "bin/pulumi")), version="", official=True, environment={"PULUMI_HOME": str(home)}
    )


@pytest.fixture(scope="session")
def template_of() -> Iterator[Template]:
    """Gives the stopped cluster that a scenario's server is copied from; each kind is made once."""
    made: dict[tuple[int, bool], Server] = {}
    with ExitStack() as stack:

        def give(scenario: Scenario) -> Server:
            kind = scenario.major, scenario.superuser
            if kind not in made:
                made[kind] = stack.enter_context(template(scenario.major, superuser=scenario.superuser))
            return made[kind]

        yield give
