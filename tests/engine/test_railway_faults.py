"""What goes wrong between the tool and Railway: one clear error, or a service's state, and the next run finishes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Stacks
from tests.engine.delivered import NAMES, PRODUCTION, SECTION, STACK, Delivery, delivery
from tests.engine.program import Project
from tests.parts import sampled
from tests.railway.faults import Dropped, Fault, Http, Message
from tests.railway.requests import Request

pytestmark = [pytest.mark.xdist_group("railway"), only_superuser]

WRITE, DEPLOY = "variableCollectionUpsert", "serviceInstanceDeployV2"
DEPLOYED = dict.fromkeys(NAMES.values(), "deployed")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with stacks(**STACK) as project:
        yield project


@pytest.fixture
def there(stack: Project) -> Iterator[Delivery]:
    """Also sees to it that nothing secret is printed, and that the stack file is as it was."""
    with delivery(stack) as made:
        made.quick()
        try:
            yield made
        finally:
            stack.declare(**STACK)
        for text in made.printed:
            assert not [secret for secret in {*stack.passwords, made.token} if secret in text], text


PASSING: dict[str, tuple[Fault, int]] = {
    "429 with Retry-After": (Http(429, retry_after="1"), 2),
    "429 without": (Http(429), 2),
    "502": (Http(502), 1),
    "503, done all the same": (Http(503, applied=True), 1),
    "504": (Http(504), 1),
    "dropped before": (Dropped(applied=False), 1),
    "dropped after": (Dropped(applied=True), 1),
}


@pytest.mark.parametrize("fault", sampled(PASSING, "429 with Retry-After", "503, done all the same", "dropped before"))
def test_what_passes_is_waited_out_and_each_service_is_deployed_once(there: Delivery, fault: str) -> None:
    how, times = PASSING[fault]
    for field in ("projectToken", "variables", WRITE, DEPLOY, "environment"):
        there.fake.fail(field, how, times=times)
    assert there.states() == DEPLOYED
    for service in there.services.values():
        assert len(service.deployments(PRODUCTION)) == 2


def test_what_does_not_pass_leaves_a_state_for_each_service_and_the_next_run_finishes(there: Delivery) -> None:
    there.fake.fail(WRITE, Http(500), service="madansara", times=9)
    states = there.states(code=4)
    # In the order of names: those before it are written and being deployed, those after it are not touched.
    assert "HTTP 500" in states["madansara"]
    assert states["Sankore-API"].startswith("its deployment was started, but its end was not seen")
    assert states["metabase"].startswith("not finished")
    assert there.services["analytics"].variables(PRODUCTION) == {"OWN": "x"}
    there.fake.heal()
    assert set(there.states().values()) <= {"deployed", "as declared"}
    assert len(there.services["sankore"].deployments(PRODUCTION)) == 2


def test_one_that_is_refused_does_not_stop_the_others(there: Delivery) -> None:
    there.fake.fail(WRITE, Message("Problem processing request"), service="madansara")
    states = there.states(code=4)
    assert states == {**DEPLOYED, "madansara": "Railway says: Problem processing request"}
    assert there.states()["madansara"] == "deployed"


def test_a_build_that_still_goes_on(there: Delivery) -> None:
    text = "Cannot redeploy yet, please wait for the original deployment to finish building, then try again."
    there.fake.fail(DEPLOY, Message(text), service="madansara", times=2)
    assert there.states() == DEPLOYED
    there.services["madansara"].set(PRODUCTION, DATABASE_URL="")
    there.fake.fail(DEPLOY, Message(text), service="madansara", times=9)
    assert "is still building an earlier deployment" in there.states("--timeout", "1", code=4)["madansara"]
    there.fake.heal()
    assert there.states()["madansara"] == "deployed"


ENDS = {
    "FAILED": (("BUILDING", "FAILED"), "ended as FAILED"),
    "CRASHED": (("DEPLOYING", "CRASHED"), "ended as CRASHED"),
    "REMOVED": (("REMOVED",), "ended as REMOVED"),
    "SKIPPED": (("SKIPPED",), "skipped because of another one"),
    "NEEDS_APPROVAL": (("NEEDS_APPROVAL",), "on hold on Railway (NEEDS_APPROVAL)"),
    "BUILDING": ((*("BUILDING",) * 60, "SUCCESS"), "did not end within --timeout; last status: BUILDING"),
}


@pytest.mark.parametrize("end", sampled(ENDS, "FAILED", "SKIPPED", "NEEDS_APPROVAL", "BUILDING"))
def test_ends_that_are_not_good(there: Delivery, end: str) -> None:
    statuses, says = ENDS[end]
    with delivery(there.stack) as made:
        for name, service in made.services.items():
            service.next_deployments(PRODUCTION, statuses if name == "madansara" else ["SUCCESS"], ["SUCCESS"])
        states = made.states("--timeout", "4", code=4)
        assert says in states.pop("madansara")
        assert set(states.values()) == {"deployed"}
        if end == "NEEDS_APPROVAL":
            assert "on hold on Railway" in made.states(code=4)["madansara"]
            made.services["madansara"].deploy(PRODUCTION)
        made.fake.settle()
        assert made.states()["madansara"] in ("deployed", "as declared")
        made.fake.forget()
        assert made.tool("plan").returncode == 0


def test_a_service_that_sleeps_is_up(there: Delivery) -> None:
    with delivery(there.stack) as made:
        made.quick("SLEEPING")
        assert made.states() == DEPLOYED
        assert made.tool("plan").returncode == 0


def test_a_service_that_was_never_deployed(there: Delivery) -> None:
    stack = there.stack
    sections = {**STACK, "services": {**STACK["services"], "onside": {"railway": {"service": "new"}}}}
    stack.declare(**sections)
    new = there.there.service("new")
    refused = there.tool("push")
    assert refused.returncode == 2
    assert "never deployed on Railway: new. Nothing was changed" in refused.stderr
    assert there.fake.writes == []
    assert there.states("--no-deploy", "onside") == {"new": "written; its first deployment uses it"}
    assert new.variables(PRODUCTION).keys() == {"DATABASE_URL"}
    assert there.plan("onside")["new"] == ({"DATABASE_URL": "same"}, "never")
    new.deploy(PRODUCTION)
    assert there.states("onside") == {"new": "as declared"}


each_command = pytest.mark.parametrize("command", sampled(["plan", "push"], "push"))


def refused(there: Delivery, command: str, says: str, **environment: str) -> None:
    done = there.tool(command, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert there.fake.writes == []


@each_command
def test_services_that_are_not_there_or_there_twice(there: Delivery, command: str) -> None:
    there.stack.declare(**{**STACK, "services": {**STACK["services"], "madansara": {"railway": {"service": "nobody"}}}})
    refused(there, command, "engarde:services: Railway, as the token sees it, has no service nobody; it has Postgres, ")
    there.stack.declare(**STACK)
    there.there.service("MADANSARA")
    refused(there, command, "engarde:services: Railway has 2 services named madansara; rename all but one")


@each_command
def test_a_service_that_is_missing_in_the_environment(there: Delivery, command: str) -> None:
    there.there.service("only-there", environments=["staging"])
    there.stack.declare(
        **{**STACK, "services": {**STACK["services"], "madansara": {"railway": {"service": "only-there"}}}}
    )
    refused(there, command, "service only-there is not in environment production on Railway")


@each_command
def test_projects_and_environments_that_are_not_there_or_there_twice(there: Delivery, command: str) -> None:
    there.token = there.fake.account_token
    there.stack.declare(**{**STACK, "railway": {**SECTION, "project": "nobody"}})
    refused(there, command, "engarde:railway: Railway, as the token sees it, has no project nobody; it has engarde")
    there.stack.declare(**{**STACK, "railway": {**SECTION, "environment": "Production"}})
    refused(there, command, "engarde:railway: Railway, as the token sees it, has no environment Production")
    there.stack.declare(**STACK)
    there.fake.project("engarde", PRODUCTION)
    refused(there, command, "engarde:railway: Railway has 2 projects named engarde; use the project's id instead")


@each_command
def test_tokens_that_are_none_wrong_or_anothers(there: Delivery, command: str) -> None:
    right = there.token
    address = there.fake.environment(right)["ENGARDE_RAILWAY_URL"]
    there.token = there.there.token("staging")
    refused(
        there,
        command,
        "RAILWAY_TOKEN is for environment staging of project engarde, but engarde:railway names environment",
    )
    nothing = {"RAILWAY_TOKEN": "", "RAILWAY_API_TOKEN": ""}
    refused(there, command, "no token for Railway. Set RAILWAY_TOKEN to a project token", **nothing)
    # A project's as an account's, the other way round, and one that nobody has given.
    refused(there, command, "does not accept RAILWAY_API_TOKEN", **{**nothing, "RAILWAY_API_TOKEN": right})
    refused(there, command, "does not accept RAILWAY_TOKEN", RAILWAY_TOKEN=there.fake.account_token)
    refused(there, command, "does not accept RAILWAY_TOKEN", RAILWAY_TOKEN="made-up")
    refused(
        there,
        command,
        "must begin with https://",
        ENGARDE_RAILWAY_URL=address.replace("127.0.0.1", "railway.example"),
    )
    there.stack.declare(**{key: each for key, each in STACK.items() if key != "railway"} | {"analytics": {}} | ONLY)
    refused(there, command, "Pulumi.local.yaml has no engarde:railway")


ONLY = {"services": {"madansara": None}}


def test_names_that_are_not_in_the_stack(there: Delivery) -> None:
    for name, says in (("nobody", "stack local has no login nobody"), ("onside", "onside has no Railway service")):
        done = there.tool("push", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
    assert there.fake.requests == []


def test_nobody_answers(there: Delivery) -> None:
    there.stack.declare(**STACK)
    nobody = "http://127.0.0.1:1/graphql/v2"
    done = there.tool("plan", ENGARDE_RAILWAY_URL=nobody, ENGARDE_TIMEOUTS="railway.patience=2")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Railway: no connection; retrying" in done.stderr
    assert "Railway does not answer: no connection. Run the command again later" in done.stderr


KILLED = sampled(
    [(WRITE, "before"), (WRITE, "after"), (DEPLOY, "before"), (DEPLOY, "after"), ("environment", "after")],
    (DEPLOY, "after"),
)


@pytest.mark.parametrize("at", KILLED, ids="-".join)
def test_killed_at_any_point_and_run_again(there: Delivery, at: tuple[str, str]) -> None:
    field, moment = at
    lines: list[bytes] = []

    def kill(request: Request) -> None:
        lines.extend(command_lines())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    plan_ahead = there.fake.before if moment == "before" else there.fake.after
    # Of looks at the environment the first are the plan's.
    plan_ahead(field, kill, skip=2 if field == "environment" else 1)
    environment = there.stack._environment() | there.fake.environment(there.token)
    process = subprocess.Popen(
        there.stack.tool_command("railway", "push"),
        cwd=there.stack.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.wait(timeout=60) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    # The last of these had all done but seeing it.
    assert there.tool("plan").returncode == (0 if field == "environment" else 1)
    assert set(there.states().values()) <= {"deployed", "as declared"}
    for service in there.services.values():
        deployed = len(service.deployments(PRODUCTION))
        # Killed before it knew of a deployment that it had asked for, the next run finds it and waits.
        assert deployed == 2, service.name
    assert there.tool("plan").returncode == 0
    assert not [secret for secret in there.stack.passwords for line in lines if secret.encode() in line]


def command_lines() -> list[bytes]:
    """What anybody on this machine sees of every process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found
