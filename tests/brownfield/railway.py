"""The project on a fake Railway in which day zero's clients run, those of them that do not run elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import ADMIN, CLIENTS, NAMED
from tests.engine.delivered import PRODUCTION, Delivery
from tests.engine.program import Project
from tests.railway import Fake

BACKEND = "production-backend"
REFERENCE = "${{Postgres.DATABASE_URL}}"
"""What the backend's template has put there."""


@contextmanager
def delivery(zero: DayZero, stack: Project, **options: Any) -> Iterator[Delivery]:
    """Every one deployed, with its URL in the variable that it reads."""
    with Fake(**options) as fake:
        there = fake.project("engarde", PRODUCTION)
        postgres = there.service("Postgres", deployed=True, variables={"DATABASE_URL": zero.url(BACKEND)})
        services = {
            client.name: there.service(
                client.name,
                deployed=True,
                variables={client.variable: REFERENCE if client.role == ADMIN else zero.url(client.name)},
            )
            for client in CLIENTS
            if client.variable
        }
        yield Delivery(stack, fake, there, services, postgres, there.token(PRODUCTION))


def urls(zero: DayZero, there: Delivery) -> Callable[[str], str]:
    """What each client's URL is at the moment: its active deployment's, or the one that nobody changes elsewhere."""
    return lambda name: there.running(name)[NAMED[name].variable] if name in there.services else zero.url(name)
