"""`bin/engarde railway audit`: every way in which a service has more than its own credentials, and nothing else."""

import json
from collections.abc import Iterator

import pytest

from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.conftest import Stacks
from tests.engine.delivered import PRODUCTION, STACK, Delivery, delivery
from tests.engine.program import Project

pytestmark = [pytest.mark.xdist_group("railway"), only_superuser]


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with stacks(**STACK) as project:
        project.outputs()
        yield project


@pytest.fixture(scope="module")
def there(stack: Project) -> Iterator[Delivery]:
    """Delivered already; the database's own variables are as Railway's template has them."""
    with delivery(stack) as made:
        made.quick()
        made.states()
        made.postgres.set(
            PRODUCTION,
            PGUSER="postgres",
            PGPASSWORD=PASSWORD,
            DATABASE_URL="postgresql://${{PGUSER}}:${{PGPASSWORD}}@db.internal:5432/railway",
            PGHOST="db.internal",
        )
        yield made


def audited(there: Delivery) -> dict[str, str]:
    """What is found: service and variable, and whose it is by which way."""
    done = there.tool("audit", "--output", "json")
    found = {load["subject"]: load["actual"] for load in json.loads(done.stdout)["findings"]}
    assert done.returncode == bool(found), done.stderr
    for secret in {*there.stack.passwords, there.token, PASSWORD}:
        assert secret not in done.stdout + done.stderr
    return found


def test_what_was_delivered_is_right(there: Delivery) -> None:
    assert audited(there) == {}
    assert there.tool("audit").stdout == "no variable holds credentials other than its service's own\n"


def test_every_way_to_more_than_ones_own(there: Delivery) -> None:
    passwords = there.stack.outputs()["passwords"]
    there.there.share(PRODUCTION, ADMIN_URL=f"postgresql://postgres:{PASSWORD}@db.internal/railway")
    there.services["madansara"].set(
        PRODUCTION,
        A="${{Postgres.DATABASE_URL}}",
        B="${{ Postgres.PGPASSWORD }}",
        C="${{shared.ADMIN_URL}}",
        D=f"jdbc:postgresql://db.internal/railway?user=postgres&password={PASSWORD}",
        E="postgresql://postgres:another@db.internal/railway",
        F=there.stack.outputs()["database_urls"]["sankore"],
        G=passwords["analytics_readonly"],
        H="${{Postgres.PGHOST}}",
        I="postgresql://somebody:else@elsewhere/db",
        J="redis://[broken",
    )
    by_reference = "credentials of the superuser: by reference to Postgres."
    assert audited(there) == {
        "(shared): ADMIN_URL": "credentials of the superuser: a URL, literally",
        "madansara: A": f"{by_reference}DATABASE_URL",
        "madansara: B": f"{by_reference}PGPASSWORD",
        "madansara: C": "credentials of the superuser: a URL, by reference",
        "madansara: D": "credentials of the superuser: its password, literally",
        "madansara: E": "credentials of the superuser: a URL, literally",
        "madansara: F": "credentials of sankore_user: a URL, literally",
        "madansara: G": "credentials of analytics_readonly: its password, literally",
    }
    shown = there.tool("audit").stdout
    assert "remove A from madansara on Railway" in shown
