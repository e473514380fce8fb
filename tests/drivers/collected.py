"""What of the table this machine can try."""

import os
from collections.abc import Iterable
from typing import Any

from tests.drivers import pgbouncer
from tests.drivers.runtimes import SQLALCHEMY_2_1
from tests.drivers.table import DRIVERS, NODE_POSTGRES_BY_ITSELF, Case, Driver
from tests.parts import sampled
from tests.servers import major

PGBOUNCER = "PgBouncer"


def absent() -> dict[str, str]:
    """What is not collected, and why; in CI all is, and what has no runtime there fails."""
    if _in_ci():
        return {}
    found = {driver.name: driver.runtime.absent for driver in DRIVERS} | {PGBOUNCER: pgbouncer.absent()}
    return {name: why for name, why in found.items() if why}


def cases(*drivers: Driver) -> tuple[Case, ...]:
    """The cases of these drivers whose runtime is here, and that work with the server that the tests run on."""
    here = [driver for driver in drivers if major() >= driver.oldest and (_in_ci() or not driver.runtime.absent)]
    return tuple(Case(each, form) for each in here for form in each.forms)


def tried(cases: Iterable[Case]) -> list[Any]:
    """Usually all, but of SQLAlchemy 2.1 what is another driver's than that of 2.0: a URL that names none."""
    found = list(cases)
    return sampled(found, *(case for case in found if case.driver.runtime != SQLALCHEMY_2_1 or case.form == "plain"))


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


CASES = cases(*DRIVERS)
MODE_CASES = (*CASES, *cases(NODE_POSTGRES_BY_ITSELF))
