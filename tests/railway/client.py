"""The plainest client there can be, for the tests of the fake itself."""

from __future__ import annotations

from typing import Any

import httpx

from tests.railway.fake import Fake

VARIABLES = """query ($p: String!, $e: String!, $s: String, $u: Boolean) {
  variables(projectId: $p, environmentId: $e, serviceId: $s, unrendered: $u) }"""
UPSERT = "mutation ($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }"
DEPLOY = """mutation ($e: String!, $s: String!) { serviceInstanceDeployV2(environmentId: $e, serviceId: $s) }"""
REDEPLOY = """mutation ($e: String!, $s: String!) { serviceInstanceRedeploy(environmentId: $e, serviceId: $s) }"""
STATUS = "query ($id: String!) { deployment(id: $id) { status } }"
PROJECT_TOKEN = "{ projectToken { projectId environmentId project { name } environment { name canAccess } } }"
INSTANCE = """query ($e: String!, $s: String!) { serviceInstance(environmentId: $e, serviceId: $s) {
  serviceName latestDeployment { id status createdAt } activeDeployments { id } } }"""


def headers(fake: Fake, token: str | None = None) -> dict[str, str]:
    """A project's token or, without one, the account's."""
    return {"Project-Access-Token": token} if token else {"Authorization": f"Bearer {fake.account_token}"}


def post(fake: Fake, query: str, token: str | None = None, **variables: Any) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return httpx.post(fake.url, params={"source": "test"}, headers=headers(fake, token), json=body, timeout=5)


def read(fake: Fake, query: str, token: str | None = None, **variables: Any) -> Any:
    """The answered data; nothing may have gone wrong."""
    answered = post(fake, query, token, **variables)
    assert answered.status_code == 200, answered.text
    assert "errors" not in answered.json(), answered.text
    return answered.json()["data"]


def error(fake: Fake, query: str, token: str | None = None, **variables: Any) -> str:
    """The message of the one error, which comes in the shape of all of Railway's."""
    answered = post(fake, query, token, **variables)
    body = answered.json()
    assert answered.status_code == 200
    assert body["data"] is None
    (only,) = body["errors"]
    assert set(only) == {"message", "path", "extensions", "traceId"}
    assert only["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    message = only["message"]
    assert isinstance(message, str)
    return message
