"""Templates of the servers that scenarios run on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from devtools.server import Server
from tests.conformance.database import template
from tests.conformance.recording import Scenario

Template = Callable[[Scenario], Server]


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
