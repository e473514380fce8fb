"""What the fake does when it is told to write and to deploy."""

from __future__ import annotations

from typing import Any

from tests.railway import Fake, GivenProject, GivenService
from tests.railway.client import DEPLOY, INSTANCE, REDEPLOY, STATUS, UPSERT, error, post, read
from tests.railway.deploying import NO_SNAPSHOT, OVERLAP


def upsert(fake: Fake, project: GivenProject, service: GivenService | None, **more: Any) -> None:
    given = {"projectId": project.id, "environmentId": project.environment_id("production"), **more}
    if service:
        given["serviceId"] = service.id
    assert read(fake, UPSERT, input=given) == {"variableCollectionUpsert": True}


def test_an_upsert_does_what_it_is_told_however_harmful(fake: Fake, project: GivenProject) -> None:
    api, idle = project.service("api", deployed=True), project.service("idle")
    api.set("production", OLD="x")
    upsert(fake, project, api, variables={"NEW": "y"}, skipDeploys=True)
    assert api.variables("production") == {"OLD": "x", "NEW": "y"}
    assert api.variables("staging") == {}
    assert len(api.deployments("production")) == 1
    stored = fake.world.projects[0].environments[0].variables[api.id, "NEW"]
    before = stored.updated
    upsert(fake, project, api, variables={"NEW": "z"}, replace=True)
    assert stored.updated > before == stored.created
    assert api.variables("production") == {"NEW": "z"}
    assert len(api.deployments("production")) == 2
    upsert(fake, project, None, variables={"STRAY": "s"})
    assert project.shared("production") == {"STRAY": "s"}
    upsert(fake, project, idle, variables={"NEW": "y"})
    assert idle.deployments("production") == []
    refused = post(fake, UPSERT, input={"projectId": "", "environmentId": "", "variables": {"PORT": 1}})
    assert refused.status_code == 400


def test_a_shared_variable_deploys_who_refers_to_it(fake: Fake, project: GivenProject) -> None:
    api = project.service("api", deployed=True, variables={"REGION": "${{shared.REGION}}"})
    other = project.service("other", deployed=True)
    upsert(fake, project, None, variables={"REGION": "eu"})
    fake.settle()
    assert api.running("production") == {"REGION": "eu"}
    assert api.running("staging") == {"REGION": ""}
    assert len(other.deployments("production")) == 1


def test_one_variable_is_written_and_deleted(fake: Fake, project: GivenProject) -> None:
    api = project.service("api", deployed=True)
    where = {"projectId": project.id, "environmentId": project.environment_id("production"), "serviceId": api.id}
    write = "mutation ($input: VariableUpsertInput!) { variableUpsert(input: $input) }"
    delete = "mutation ($input: VariableDeleteInput!) { variableDelete(input: $input) }"
    read(fake, write, input={**where, "name": "A", "value": "1", "skipDeploys": True})
    assert (api.variables("production"), len(api.deployments("production"))) == ({"A": "1"}, 1)
    read(fake, delete, input={**where, "name": "A"})
    assert (api.variables("production"), len(api.deployments("production"))) == ({}, 2)


def test_a_deployment_goes_on_whenever_its_status_is_read(fake: Fake, project: GivenProject) -> None:
    api = project.service("api", deployed=True, variables={"A": "1"})
    where = {"e": project.environment_id("production"), "s": api.id}
    (first,) = api.deployments("production")
    api.set("production", A="2")
    made = read(fake, DEPLOY, **where)["serviceInstanceDeployV2"]
    api.set("production", A="3")
    seen: list[str] = []
    while not seen or seen[-1] != "SUCCESS":
        assert api.running("production") == ({"A": "1"} if len(seen) < 3 else {"A": "2"})
        seen.append(read(fake, STATUS, id=made)["deployment"]["status"])
    assert seen == ["INITIALIZING", "BUILDING", "DEPLOYING", "SUCCESS"]
    assert read(fake, STATUS, id=first.id)["deployment"]["status"] == "REMOVED"
    instance = read(fake, INSTANCE, **where)["serviceInstance"]
    assert (instance["latestDeployment"]["id"], instance["activeDeployments"]) == (made, [{"id": made}])


def test_scripts_are_for_one_deployment_each(fake: Fake, project: GivenProject) -> None:
    api = project.service("api", deployed=True, variables={"A": "1"})
    where = {"e": project.environment_id("production"), "s": api.id}
    api.next_deployments("production", ["BUILDING", "FAILED"], ["SUCCESS", "CRASHED"])
    api.set("production", A="2")
    read(fake, DEPLOY, **where)
    fake.settle()
    assert api.running("production") == {"A": "1"}
    read(fake, REDEPLOY, **where)
    assert api.running("production") == {"A": "2"}
    read(fake, INSTANCE, **where)
    assert api.running("production") is None
    assert [deployment.status for deployment in api.deployments("production")] == ["REMOVED", "FAILED", "CRASHED"]


def test_a_deployment_that_a_later_one_overtakes_is_skipped(fake: Fake, project: GivenProject) -> None:
    api = project.service("api")
    api.next_deployments("production", ["BUILDING", "SUCCESS"], ["SUCCESS"])
    where = {"e": project.environment_id("production"), "s": api.id}
    for _ in range(2):
        read(fake, DEPLOY, **where)
    fake.settle()
    assert [deployment.status for deployment in api.deployments("production")] == ["SKIPPED", "SUCCESS"]


def test_what_cannot_be_deployed(fake: Fake, project: GivenProject) -> None:
    idle = project.service("idle")
    where = {"e": project.environment_id("production"), "s": idle.id}
    assert read(fake, INSTANCE, **where)["serviceInstance"]["latestDeployment"] is None
    assert idle.running("production") is None
    assert error(fake, REDEPLOY, **where) == NO_SNAPSHOT
    fake.world.refuses_overlaps = True
    made = read(fake, DEPLOY, **where)["serviceInstanceDeployV2"]
    assert error(fake, DEPLOY, **where) == error(fake, REDEPLOY, **where) == OVERLAP
    while read(fake, STATUS, id=made)["deployment"]["status"] != "SUCCESS":
        pass
    assert read(fake, REDEPLOY, **where) == {"serviceInstanceRedeploy": True}


def test_a_rollback_brings_the_old_variables_back(project: GivenProject) -> None:
    api = project.service("api", deployed=True, variables={"A": "1"})
    api.set("production", A="2", B="2")
    api.deploy("production")
    api.roll_back("production")
    assert api.variables("production") == api.running("production") == {"A": "1"}
