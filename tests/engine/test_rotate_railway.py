"""`bin/engarde rotate` with services on a fake Railway: the new URL arrives, whatever happens on the way."""

import os
import signal
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Stacks
from tests.engine.delivered import PRODUCTION, STACK, Delivery, delivery
from tests.engine.program import STACK_FILE, Project, conninfo
from tests.engine.rotating import counters, remember, strangers
from tests.parts import sampled
from tests.railway.faults import Http
from tests.railway.requests import Request

pytestmark = [pytest.mark.xdist_group("railway"), only_superuser]

WRITE, DEPLOY = "variableCollectionUpsert", "serviceInstanceDeployV2"


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with stacks(**STACK) as project:
        yield project


@pytest.fixture
def there(stack: Project) -> Iterator[Delivery]:
    """Everything delivered, and deployments that are up at once; nothing secret may be printed."""
    with delivery(stack) as made:
        made.quick()
        made.states()
        made.quick()
        remember(stack)
        yield made
        remember(stack)
        for text in made.printed:
            assert not [secret for secret in {*stack.passwords, made.token} if secret in text], text


def rotate(there: Delivery, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = there.stack.tool("rotate", *words, **{**there.fake.environment(there.token), **environment})
    there.printed += [done.stdout, done.stderr]
    assert done.returncode == code, done.stdout + done.stderr
    return done


def logs_in(there: Delivery, name: str, variable: str = "DATABASE_URL") -> None:
    """With the URL that a service runs with, at the address where a test reaches the server."""
    port = there.stack.database.server.port
    url = conninfo(there.running(name)[variable]).replace("@db.internal:5432/", f"@127.0.0.1:{port}/")
    psycopg.connect(url.replace("@postgres.railway.internal:6543/", f"@127.0.0.1:{port}/")).close()


def test_the_new_url_is_what_the_service_runs_with(there: Delivery) -> None:
    before, counter = there.running("madansara")["DATABASE_URL"], counters(there.stack)["madansara"]
    done = rotate(there, "madansara")
    assert f"counter {counter} -> {counter + 1}" in done.stdout
    assert "madansara: deployed" in done.stdout
    assert there.running("madansara")["DATABASE_URL"] != before
    logs_in(there, "madansara")
    assert there.tool("plan").returncode == 0


def test_a_variable_that_is_not_declared_is_named(there: Delivery) -> None:
    """It goes on all the same: a login that somebody else knows cannot wait."""
    own = there.services["madansara"].variables(PRODUCTION)["DATABASE_URL"]
    there.services["madansara"].set(PRODUCTION, APP_DATABASE_URL=own)
    said = " ".join(rotate(there, "madansara").stdout.split())
    assert "madansara: APP_DATABASE_URL holds an old login of madansara_user, which no longer works: declare" in said
    logs_in(there, "madansara")


def test_every_variable_of_every_service_that_has_the_login(there: Delivery) -> None:
    there.services["worker"].seal(PRODUCTION, "DATABASE_URL", there.running("worker")["DATABASE_URL"])
    assert "Sankore-API: deployed; sankore-worker: deployed" in rotate(there, "sankore").stdout
    for name in ("sankore", "worker"):
        logs_in(there, name)
        logs_in(there, name, "DATABASE_UNPOOLED_URL")


def test_nothing_is_changed_where_it_could_not_be_delivered(there: Delivery) -> None:
    file, counter = there.stack.folder / STACK_FILE, counters(there.stack)
    before = file.read_text()
    assert "does not accept RAILWAY_TOKEN" in rotate(there, "madansara", code=2, RAILWAY_TOKEN="made-up").stderr
    assert "no token for Railway" in rotate(there, "madansara", code=2, RAILWAY_TOKEN="").stderr
    assert (file.read_text(), counters(there.stack)) == (before, counter)


def test_a_deployment_that_fails_is_begun_anew_without_a_second_bump(there: Delivery) -> None:
    with delivery(there.stack) as made:
        made.quick()
        made.states()
        made.services["madansara"].next_deployments(PRODUCTION, ["BUILDING", "FAILED"], ["SUCCESS"])
        counter = counters(made.stack)["madansara"]
        failed = rotate(made, "madansara", code=4)
        assert "ended as FAILED" in failed.stderr
        assert counters(made.stack)["madansara"] == counter + 1
        rotate(made, "madansara")
        assert counters(made.stack)["madansara"] == counter + 1
        logs_in(made, "madansara")


def test_what_is_not_delivered_is_gone_on_with_from_there(there: Delivery) -> None:
    before, asked = counters(there.stack), ("onside", "analytics")
    there.fake.fail(WRITE, Http(500), service="metabase", times=9)
    failed = rotate(there, *asked, code=4)
    assert "HTTP 500" in failed.stderr
    assert "not delivered: the stack file names no Railway service for it" in " ".join(failed.stdout.split())
    there.fake.heal()
    assert "metabase: deployed" in rotate(there, *asked).stdout
    logs_in(there, "analytics", "ANALYTICS_URL")
    assert counters(there.stack) == before | {name: before[name] + 1 for name in asked}
    assert there.tool("plan").returncode == 0


KILLED = sampled([(WRITE, "before"), (WRITE, "after"), (DEPLOY, "after")], (WRITE, "after"))


@pytest.mark.parametrize("at", KILLED, ids="-".join)
def test_killed_while_it_delivers(there: Delivery, at: tuple[str, str]) -> None:
    field, moment = at
    counter = counters(there.stack)["madansara"]

    def kill(request: Request) -> None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    (there.fake.before if moment == "before" else there.fake.after)(field, kill)
    process = subprocess.Popen(
        there.stack.tool_command("rotate", "madansara"),
        cwd=there.stack.folder,
        env=there.stack._environment() | there.fake.environment(there.token),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.wait(timeout=120) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    assert strangers(there.stack) == set()
    assert "resumes its rotation" in rotate(there, "madansara").stderr
    assert counters(there.stack)["madansara"] == counter + 1
    logs_in(there, "madansara")
    assert there.tool("plan").returncode == 0
