"""What the fake can be told to do wrong, and what it records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.railway import Delay, Dropped, Fake, GivenProject, Http, Message, Request
from tests.railway.client import DEPLOY, INSTANCE, PROJECT_TOKEN, STATUS, UPSERT, error, post, read

TWO = """mutation ($e: String!, $a: String!, $b: String!) {
  one: serviceInstanceDeployV2(environmentId: $e, serviceId: $a)
  ...rest }
fragment rest on Mutation { two: serviceInstanceRedeploy(environmentId: $e, serviceId: $b) }"""


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "text"),
    [
        (Http(429, retry_after="1"), 429, "1", "Too Many Requests"),
        (Http(429), 429, None, "error code: 1015"),
        (Http(500), 500, None, "upstream error 500"),
        (Http(503, text="down"), 503, None, "down"),
        (Http(504, applied=True), 504, None, "upstream error 504"),
    ],
)
def test_http_faults_so_often_and_for_one_service(
    fake: Fake, project: GivenProject, fault: Http, status: int, retry_after: str | None, text: str
) -> None:
    api, other = project.service("api"), project.service("other")
    production = project.environment_id("production")
    fake.fail("serviceInstanceDeployV2", fault, service="api", times=2)
    read(fake, DEPLOY, e=production, s=other.id)
    for _ in range(2):
        answered = post(fake, DEPLOY, e=production, s=api.id)
        assert (answered.status_code, answered.headers.get("Retry-After"), answered.text) == (status, retry_after, text)
    assert len(api.deployments("production")) == (2 if fault.applied else 0)
    made = read(fake, DEPLOY, e=production, s=api.id)["serviceInstanceDeployV2"]
    fake.fail("deployment", Http(502), service="api")
    assert post(fake, STATUS, id=made).status_code == 502


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_drops_before_or_after_the_effect(fake: Fake, project: GivenProject, applied: bool) -> None:
    api = project.service("api")
    fake.fail("serviceInstanceDeployV2", Dropped(applied=applied))
    with pytest.raises(httpx.RemoteProtocolError):
        post(fake, DEPLOY, e=project.environment_id("production"), s=api.id)
    assert len(api.deployments("production")) == applied
    (write,) = fake.writes
    assert (write.applied, write.status) == (applied, None)


def test_an_error_is_for_one_root_field(fake: Fake, project: GivenProject) -> None:
    api, other = project.service("api", deployed=True), project.service("other", deployed=True)
    fake.fail("serviceInstanceRedeploy", Message("Problem processing request"), service="other")
    where = {"e": project.environment_id("production"), "a": api.id, "b": other.id}
    answered = post(fake, TWO, **where).json()
    assert [(each["message"], each["path"]) for each in answered["errors"]] == [("Problem processing request", ["two"])]
    assert (len(api.deployments("production")), len(other.deployments("production"))) == (2, 1)
    read(fake, TWO, **where)


def test_faults_wait_for_their_turn_and_can_be_forgotten(fake: Fake, project: GivenProject) -> None:
    token = project.token("production")
    fake.fail("*", Http(500), skip=1, times=5)
    assert [post(fake, PROJECT_TOKEN, token).status_code for _ in range(3)] == [200, 500, 500]
    fake.heal()
    read(fake, PROJECT_TOKEN, token)


def test_a_late_answer_has_its_effect_at_once(fake: Fake, project: GivenProject) -> None:
    api = project.service("api")
    where = {"e": project.environment_id("production"), "s": api.id}
    fake.fail("serviceInstanceDeployV2", Delay(30))
    body = {"query": DEPLOY, "variables": where}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            fake.url,
            params={"source": "test"},
            headers={"Authorization": f"Bearer {fake.account_token}"},
            json=body,
            timeout=0.3,
        )
    assert len(api.deployments("production")) == 1
    fake.fail("serviceInstance", Delay(0.2))
    start = time.monotonic()
    read(fake, INSTANCE, **where)
    assert time.monotonic() - start >= 0.2


CLIENT = """
import os, sys, httpx
where = {"e": sys.argv[1], "s": sys.argv[2]}
headers = {"Authorization": "Bearer " + os.environ["RAILWAY_API_TOKEN"]}
body = {"query": sys.argv[3], "variables": where}
httpx.post(os.environ["ENGARDE_RAILWAY_URL"], params={"source": "test"}, headers=headers, json=body)
"""


@pytest.mark.parametrize("applied", [False, True])
def test_a_client_can_be_killed_at_a_point(fake: Fake, project: GivenProject, applied: bool) -> None:
    api = project.service("api")
    started: list[subprocess.Popen[bytes]] = []
    ready = threading.Event()

    def kill(request: Request) -> None:
        ready.wait(10)
        assert (request.fields, request.applied) == (("serviceInstanceDeployV2",), applied)
        started[0].send_signal(signal.SIGKILL)
        started[0].wait()

    (fake.after if applied else fake.before)("serviceInstanceDeployV2", kill, service="api")
    arguments = [sys.executable, "-c", CLIENT, project.environment_id("production"), api.id, DEPLOY]
    started.append(subprocess.Popen(arguments, env=os.environ | fake.environment()))
    ready.set()
    assert started[0].wait(20) == -signal.SIGKILL
    # The request that was under way is carried out whether or not anyone still waits for its answer.
    while not fake.writes[0].status:
        time.sleep(0.01)
    assert len(api.deployments("production")) == 1


def test_what_breaks_in_a_callback_fails_the_test() -> None:
    def wrong(_: Request) -> None:
        raise AssertionError("seen")

    with pytest.raises(AssertionError, match="seen"), Fake() as fake:
        fake.before("*", wrong)
        with pytest.raises(httpx.RemoteProtocolError):
            post(fake, PROJECT_TOKEN)


def test_more_than_so_many_requests_in_a_second_are_too_many() -> None:
    with Fake(per_second=5) as fake, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(fake, PROJECT_TOKEN), range(8)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.headers["Retry-After"] for answer in refused] == ["1", "1", "1"]
        assert (fake.total, fake.most_in_a_second) == (8, 8)
        time.sleep(1.1)
        assert error(fake, PROJECT_TOKEN) == "Project Token not found"
        assert (fake.total, fake.most_in_a_second) == (9, 8)


def test_requests_are_recorded(fake: Fake, project: GivenProject) -> None:
    api, other = project.service("api", deployed=True), project.service("other", deployed=True)
    where = {"e": project.environment_id("production"), "a": api.id, "b": other.id}
    read(fake, TWO, **where)
    read(fake, "{ mine: projectToken { id } }", project.token("production"))
    post(fake, UPSERT)
    two, mine, invalid = fake.requests
    assert two.fields == ("serviceInstanceDeployV2", "serviceInstanceRedeploy")
    assert (two.auth, two.variables, two.writes) == ("account", where, True)
    assert two.services == frozenset({"api", "other"})
    assert (mine.auth, mine.fields, mine.source, mine.writes) == ("project", ("projectToken",), "test", False)
    assert (invalid.status, invalid.roots) == (400, ())
    assert fake.writes == [two]
    assert fake.fields == ["serviceInstanceDeployV2", "serviceInstanceRedeploy", "projectToken"]
    assert two.at < mine.at < invalid.at
    fake.forget()
    assert fake.total == 0


def test_a_client_finds_the_fake_by_its_environment(fake: Fake, project: GivenProject) -> None:
    token = project.token("production")
    assert fake.environment(token) == {"ENGARDE_RAILWAY_URL": fake.url, "RAILWAY_TOKEN": token}
    assert fake.environment()["RAILWAY_API_TOKEN"] == fake.account_token


def test_it_ends_with_connections_open_and_answers_outstanding() -> None:
    before = threading.active_count()
    with httpx.Client() as client, Fake() as fake:
        for _ in range(2):
            client.post(fake.url, params={"source": "test"}, json={"query": PROJECT_TOKEN})
        fake.fail("*", Delay(60))
        late = ThreadPoolExecutor(1)
        waiting = late.submit(post, fake, PROJECT_TOKEN)
        while not fake.requests[-1].applied or fake.total < 3:
            time.sleep(0.01)
    late.shutdown()
    assert waiting.exception() is None or isinstance(waiting.exception(), httpx.TransportError)
    assert threading.active_count() == before
