"""A backup of a live service is tried beside its clients: none of them is refused or waits for long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from devtools.server import HOST
from engarde.backup.backup import dump
from engarde.backup.clients import client
from engarde.backup.inventory import Inventory
from engarde.backup.proof import NOTHING, Proof, tried
from engarde.declaration.address import Address
from engarde.server.credentials import Access
from tests.brownfield.clients import Clients
from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import ADOPT_ONLY
from tests.clients import newest
from tests.engine.conftest import Brownfields
from tests.engine.database import NAME

pytestmark = pytest.mark.xdist_group("brownfield")

PROGRAMS = client(str(newest()), 18)
SERVICE = "sankore"
MOST = 2
"""How long any client may wait [seconds]."""


@pytest.fixture(scope="module")
def zero(brownfields: Brownfields) -> Iterator[DayZero]:
    """The service owns its schema, as after `up`; whoever waits too long for a lock is refused it, and counted."""
    with brownfields(**ADOPT_ONLY) as (made, _):
        made.database.run(
            f"ALTER SCHEMA {SERVICE} OWNER TO {SERVICE}_user",
            f"REVOKE REFERENCES ON public.brands FROM {SERVICE}_user",
            f"ALTER DATABASE {NAME} SET lock_timeout = '{MOST}s'",
        )
        yield made


def login(zero: DayZero, role: str) -> Access:
    return Access(Address(host=HOST, port=zero.database.server.port), NAME, role, zero.passwords[role])


@contextmanager
def writing(zero: DayZero, slowest: list[float]) -> Iterator[None]:
    """Somebody writes to the table that the service's foreign key leads to, all the time."""
    over = threading.Event()

    def write() -> None:
        with zero.database.session() as session:
            while not over.is_set():
                start = time.monotonic()
                session.execute("UPDATE public.brands SET name = name WHERE id = 1")
                slowest.append(time.monotonic() - start)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def proof(zero: DayZero, folder: Path, wanted: Inventory) -> Proof:
    admin = login(zero, zero.database.admin.user)
    return tried(admin, f"{SERVICE}_user", folder, wanted, PROGRAMS)


def test_nobody_is_refused_or_waits(zero: DayZero, tmp_path: Path) -> None:
    slowest: list[float] = []
    with Clients(zero) as clients, writing(zero, slowest):
        wanted = dump(login(zero, f"{SERVICE}_user"), SERVICE, tmp_path, PROGRAMS, 1, lambda _: None)
        for _ in range(5):
            [fault] = proof(zero, tmp_path, wanted).faults
        zero.database.run(f"GRANT REFERENCES (id) ON public.brands TO {SERVICE}_user")
        for _ in range(5):
            assert proof(zero, tmp_path, wanted) == NOTHING
        # One that holds the table for long: it cannot be tried, and nobody waits for that either.
        with zero.database.session() as session, session.transaction():
            session.execute("LOCK TABLE public.brands IN ROW EXCLUSIVE MODE")
            held = proof(zero, tmp_path, wanted)
    assert fault.endswith(
        "sankore_user lacks REFERENCES on table public.brands: set `references: true` for that"
        " table in the service's `reads`, then run `bin/pulumi up`"
    )
    assert held.faults == ()
    assert "55P03: canceling statement due to lock timeout" in held.unproven[0]
    assert clients.refused == []
    assert clients.lost() == {}
    assert len(slowest) > 100
    assert max(slowest) < MOST
    assert replace(held, unproven=()) == NOTHING
