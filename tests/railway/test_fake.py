"""What the fake answers, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from tests.railway import Fake, GivenProject, GivenService
from tests.railway.client import (
    INSTANCE,
    PROJECT_TOKEN,
    VARIABLES,
    error,
    headers,
    post,
    read,
)
from tests.railway.world import Clock


def variables(fake: Fake, project: GivenProject, service: GivenService | None, *, unrendered: bool) -> dict[str, str]:
    named = {"s": service.id} if service else {}
    answered = read(fake, VARIABLES, p=project.id, e=project.environment_id("production"), u=unrendered, **named)
    found = answered["variables"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "query",
    ["{ projects { nodes { id } } }", "{ projectToken { id }", "query ($id: String!) { project(id: $id) { id } }"],
)
def test_an_invalid_document_is_refused_whole(fake: Fake, query: str) -> None:
    answered = post(fake, query)
    assert answered.status_code == 400
    assert set(answered.json()) == {"errors"}


def test_what_is_no_well_behaved_request_is_refused(fake: Fake) -> None:
    json, source = {"query": PROJECT_TOKEN}, {"source": "test"}
    assert "source" in httpx.post(fake.url, headers=headers(fake), json=json).text
    nameless = httpx.post(fake.url, params=source, headers=headers(fake) | {"User-Agent": ""}, json=json)
    assert (nameless.status_code, "User-Agent" in nameless.text) == (400, True)
    assert httpx.post(fake.url, params=source, data={"query": PROJECT_TOKEN}).status_code == 400
    assert httpx.post(fake.url, params=source, content="{", headers={"Content-Type": "application/json"}).is_error
    assert httpx.post(fake.url.replace("v2", "v1"), params=source, json=json).status_code == 404
    assert httpx.get(fake.url).status_code == 405


def test_a_project_token_opens_one_environment(fake: Fake, project: GivenProject) -> None:
    token, other = project.token("production"), fake.project("other")
    assert read(fake, PROJECT_TOKEN, token)["projectToken"] == {
        "projectId": project.id,
        "environmentId": project.environment_id("production"),
        "project": {"name": "engarde"},
        "environment": {"name": "production", "canAccess": True},
    }
    for p, e in (
        (project.id, project.environment_id("staging")),
        (other.id, other.environment_id("production")),
        (other.id, project.environment_id("production")),
    ):
        assert error(fake, VARIABLES, token, p=p, e=e) == "Not Authorized"
    assert error(fake, "query ($id: String!) { project(id: $id) { id } }", token, id=other.id) == "Not Authorized"
    assert error(fake, "{ projects { edges { node { id } } } }", token) == "Not Authorized"
    nested = """query ($id: String!) { project(id: $id) { environments { edges { node {
      canAccess %s { edges { cursor } } } } } } }"""
    for what in ("serviceInstances", "variables"):
        assert error(fake, nested % what, token, id=project.id) == "Not Authorized"
    # The schema for callers of this project has no `service`.
    assert post(fake, "query ($id: String!) { service(id: $id) { id } }", token, id="x").status_code == 400


def test_an_account_token_opens_everything_but_the_project_token(fake: Fake, project: GivenProject) -> None:
    assert error(fake, PROJECT_TOKEN) == "Project Token not found"
    assert len(read(fake, "{ projects { edges { node { id } } } }")["projects"]["edges"]) == 1
    assert error(fake, "query ($id: String!) { project(id: $id) { id } }", id="none") == "Project not found"
    where = {"e": project.environment_id("production"), "s": "none"}
    assert error(fake, INSTANCE, **where) == "ServiceInstance not found"


def test_a_token_in_the_other_ones_header_is_refused(fake: Fake, project: GivenProject) -> None:
    token, source = project.token("production"), {"source": "test"}
    ways: tuple[dict[str, str], ...] = (
        {"Authorization": f"Bearer {token}"},
        {"Project-Access-Token": fake.account_token},
        {"Authorization": f"Bearer {fake.account_token}", "Project-Access-Token": token},
        {},
    )
    for way in ways:
        json = {"query": "query ($id: String!) { project(id: $id) { id } }", "variables": {"id": project.id}}
        answered = httpx.post(fake.url, params=source, headers=way, json=json).json()
        assert [each["message"] for each in answered["errors"]] == ["Not Authorized"]
    assert [request.auth for request in fake.requests] == ["account", "project", "both", "none"]


def test_lists_come_in_pages_whatever_is_asked_for(fake: Fake, project: GivenProject) -> None:
    names = [f"service-{number}" for number in range(45)]
    for name in names:
        project.service(name)
    query = """query ($id: String!, $after: String) { project(id: $id) { services(first: 100, after: $after) {
      edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }"""
    found, after, sizes = [], None, []
    while True:
        page = read(fake, query, id=project.id, after=after)["project"]["services"]
        sizes.append(len(page["edges"]))
        found += [edge["node"]["name"] for edge in page["edges"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (found, sizes) == (names, [20, 20, 5])
    assert error(fake, query, id=project.id, after="nowhere") == "Problem processing request"


def test_references_are_resolved_only_when_asked_for(fake: Fake, project: GivenProject) -> None:
    postgres, api = project.service("Postgres"), project.service("api")
    project.share("production", REGION="eu", HOST="${{Postgres.RAILWAY_PRIVATE_DOMAIN}}")
    postgres.set("production", USER="postgres", URL="postgresql://${{USER}}@${{shared.HOST}}/railway")
    loop = {"LOOP": "a${{ROUND}}", "ROUND": "b${{LOOP}}", "TO": "${{LOOP}}"}
    written = {"URL": "${{ Postgres.URL }}", "NONE": "${{nobody.URL}}", "PLAIN": "a${b}{{c}}", **loop}
    api.set("production", **written)
    api.seal("production", "SECRET", "hidden")
    assert variables(fake, project, api, unrendered=True) == written
    assert variables(fake, project, api, unrendered=False) == {
        "URL": "postgresql://postgres@postgres.railway.internal/railway",
        "LOOP": "ab",
        "ROUND": "ba",
        "TO": "ab",
        "NONE": "",
        "PLAIN": "a${b}{{c}}",
    }
    assert variables(fake, project, None, unrendered=True) == project.shared("production")
    assert api.variables("production") == written | {"SECRET": "hidden"}


def test_no_two_times_are_equal() -> None:
    clock = Clock(last=datetime(9999, 1, 1, tzinfo=UTC))
    assert clock.tick() < clock.tick()


def test_an_environment_lists_the_variables_themselves(fake: Fake, project: GivenProject) -> None:
    api = project.service("api")
    project.share("production", REGION="eu")
    api.set("production", URL="${{Postgres.URL}}")
    api.seal("production", "SECRET", "hidden")
    query = """query ($id: String!) { environment(id: $id) { variables {
      edges { node { name serviceId isSealed references updatedAt } } } } }"""
    edges = read(fake, query, id=project.environment_id("production"))["environment"]["variables"]["edges"]
    nodes = [edge["node"] for edge in edges]
    times = [node.pop("updatedAt") for node in nodes]
    assert times == sorted(set(times))
    assert times[0].endswith("Z")
    assert nodes == [
        {"name": "REGION", "serviceId": None, "isSealed": False, "references": []},
        {"name": "URL", "serviceId": api.id, "isSealed": False, "references": ["Postgres.URL"]},
        {"name": "SECRET", "serviceId": api.id, "isSealed": True, "references": []},
    ]
