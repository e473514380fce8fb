"""What the API does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.railway import deploying
from tests.railway.queries import Call, Resolver
from tests.railway.world import Deployment, Environment, Variable, World


def write(world: World, environment: Environment, service_id: str | None, variables: Mapping[str, str]) -> None:
    """Writes variables of a service or, without one, of the whole environment; what is sealed stays sealed."""
    for name, value in variables.items():
        now, key = world.clock.tick(), (service_id, name)
        if known := environment.variables.get(key):
            known.value, known.updated = value, now
        else:
            environment.variables[key] = Variable(environment, service_id, name, value, now, now)


def erase(environment: Environment, service_id: str | None, *, but: Mapping[str, str]) -> None:
    """Deletes all variables of a service, or all shared ones, but these."""
    for key in [key for key in environment.variables if key[0] == service_id and key[1] not in but]:
        del environment.variables[key]


def _environment(call: Call, asked: Mapping[str, Any]) -> Environment:
    environment = call.access.environment(asked["environmentId"], asked["projectId"])
    if asked.get("serviceId") is not None:
        call.access.instance(environment.id, asked["serviceId"])
    return environment


def _upsert_all(call: Call, _: None, input: dict[str, Any]) -> bool:
    environment, service_id, variables = _environment(call, input), input.get("serviceId"), input["variables"]
    write(call.world, environment, service_id, variables)
    if input.get("replace"):
        erase(environment, service_id, but=variables)
    if not input.get("skipDeploys"):
        deploying.deploy_change(call.world, environment, service_id, variables)
    return True


def _upsert(call: Call, _: None, input: dict[str, Any]) -> bool:
    return _upsert_all(call, None, {**input, "variables": {input["name"]: input["value"]}})


def _delete(call: Call, _: None, input: dict[str, Any]) -> bool:
    environment, service_id, name = _environment(call, input), input.get("serviceId"), input["name"]
    if environment.variables.pop((service_id, name), None):
        deploying.deploy_change(call.world, environment, service_id, [name])
    return True


def _deploy(call: Call, _: None, environmentId: str, serviceId: str, **commit: Any) -> Deployment:
    return deploying.deploy(call.world, call.access.instance(environmentId, serviceId))


def _redeploy(call: Call, _: None, environmentId: str, serviceId: str) -> bool:
    deploying.redeploy(call.world, call.access.instance(environmentId, serviceId))
    return True


def _redeploy_one(call: Call, _: None, id: str, usePreviousImageTag: bool | None = None) -> Deployment:
    return deploying.redeploy(call.world, call.access.deployment(id).instance)


def _restart(call: Call, _: None, id: str) -> bool:
    """Runs the same snapshot again: nothing changes."""
    call.access.deployment(id)
    return True


MUTATIONS: dict[str, Resolver] = {
    "Mutation.deploymentRedeploy": _redeploy_one,
    "Mutation.deploymentRestart": _restart,
    "Mutation.serviceInstanceDeploy": lambda *args, **named: bool(_deploy(*args, **named)),
    "Mutation.serviceInstanceDeployV2": lambda *args, **named: _deploy(*args, **named).id,
    "Mutation.serviceInstanceRedeploy": _redeploy,
    "Mutation.variableCollectionUpsert": _upsert_all,
    "Mutation.variableDelete": _delete,
    "Mutation.variableUpsert": _upsert,
}
