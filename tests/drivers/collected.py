"""What of the table this machine can try."""

import os

from tests.drivers import pgbouncer
from tests.drivers.table import DRIVERS, NODE_POSTGRES_BY_ITSELF, Case, Driver

PGBOUNCER = "PgBouncer"


def absent() -> dict[str, str]:
    """What is not collected, and why; in CI all is, and what has no runtime there fails."""
    if os.environ.get("CI") == "true":
        return {}
    found = {each.name: each.runtime.absent for each in DRIVERS} | {PGBOUNCER: pgbouncer.absent()}
    return {name: why for name, why in found.items() if why}


def cases(*drivers: Driver) -> tuple[Case, ...]:
    """The cases of these drivers whose runtime is here."""
    missing = absent()
    return tuple(Case(each, form) for each in drivers if each.name not in missing for form in each.forms)


CASES = cases(*DRIVERS)
MODE_CASES = (*CASES, *cases(NODE_POSTGRES_BY_ITSELF))
