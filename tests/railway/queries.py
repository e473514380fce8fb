"""What the API answers to each field that is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.railway import rendering
from tests.railway.access import NOT_AUTHORIZED, Access
from tests.railway.pages import Connection, page
from tests.railway.world import Deployment, Environment, Project, Refusal, World

Resolver = Callable[..., Any]


@dataclass(slots=True)
class Call:
    """One request as the fields see it."""

    world: World
    access: Access
    failing: Mapping[str, str]
    """the messages of the root fields that fail, by the key that they are answered under"""
    polled: list[Deployment] = field(default_factory=list)
    """whose status was read"""


def _projects(call: Call, _: None, **paging: Any) -> Connection:
    call.access.check()
    if not call.access.account:
        raise Refusal(NOT_AUTHORIZED)
    asked = {name: paging[name] for name in ("first", "after", "last", "before") if name in paging}
    return page(call.world.projects, call.world.page_size, **asked)


def _deployments(call: Call, _: None, input: dict[str, Any], **paging: Any) -> Connection:
    call.access.check()
    if "environmentId" in input:
        call.access.environment(input["environmentId"], input.get("projectId"))
    elif not call.access.account:
        raise Refusal(NOT_AUTHORIZED)
    found = [deployment for deployment in call.world.deployments() if _wanted(deployment, input)]
    found.sort(key=lambda each: each.created, reverse=True)
    return page(found, call.world.page_size, **paging)


def _wanted(deployment: Deployment, asked: dict[str, Any]) -> bool:
    instance, status = deployment.instance, asked.get("status") or {}
    return (
        asked.get("environmentId") in (None, instance.environment.id)
        and asked.get("projectId") in (None, instance.environment.project.id)
        and asked.get("serviceId") in (None, instance.service.id)
        and (status.get("in") is None or deployment.status in status["in"])
        and deployment.status not in (status.get("notIn") or ())
    )


def _variables(
    call: Call,
    _: None,
    projectId: str,
    environmentId: str,
    serviceId: str | None = None,
    unrendered: bool | None = None,
) -> dict[str, str]:
    environment = call.access.environment(environmentId, projectId)
    service = call.access.instance(environmentId, serviceId).service if serviceId is not None else None
    read = rendering.written if unrendered else rendering.rendered
    return read(environment, service, sealed=False)


def _environment_variables(call: Call, environment: Environment, **paging: Any) -> Connection:
    _opened(call, environment)
    return page(list(environment.variables.values()), call.world.page_size, **paging)


def _instances(call: Call, environment: Environment, **paging: Any) -> Connection:
    _opened(call, environment)
    return page(environment.instances, call.world.page_size, **paging)


def _opened(call: Call, environment: Environment) -> None:
    if not call.access.opens(environment):
        raise Refusal(NOT_AUTHORIZED)


def _environments(call: Call, project: Project, isEphemeral: bool | None = None, **paging: Any) -> Connection:
    found = [environment for environment in project.environments if isEphemeral in (None, environment.ephemeral)]
    return page(found, call.world.page_size, **paging)


def _services(call: Call, project: Project, **paging: Any) -> Connection:
    return page(project.services, call.world.page_size, **paging)


def _status(call: Call, deployment: Deployment) -> str:
    if deployment not in call.polled:
        call.polled.append(deployment)
    return deployment.status


def _container(deployment: Deployment) -> list[dict[str, str]]:
    state = {"SUCCESS": "RUNNING", "SLEEPING": "STOPPED", "CRASHED": "CRASHED"}.get(deployment.status)
    return [{"id": deployment.id, "status": state}] if state else []


def _constant(value: Any) -> Resolver:
    return lambda call, node: value


def _of(read: Callable[[Any], Any]) -> Resolver:
    return lambda call, node: read(node)


QUERIES: dict[str, Resolver] = {
    "Query.deployment": lambda call, _, id: call.access.deployment(id),
    "Query.deployments": _deployments,
    "Query.environment": lambda call, _, id, projectId=None: call.access.environment(id, projectId),
    "Query.project": lambda call, _, id: call.access.project(id),
    "Query.projectToken": lambda call, _: call.access.project_token(),
    "Query.projects": _projects,
    "Query.serviceInstance": lambda call, _, environmentId, serviceId: call.access.instance(environmentId, serviceId),
    "Query.tcpProxies": lambda call, _, environmentId, serviceId: (
        call.access.instance(environmentId, serviceId).proxies
    ),
    "Query.variables": _variables,
    "Query.variablesForServiceDeployment": _variables,
    "ProjectToken.environmentId": _of(lambda token: token.environment.id),
    "ProjectToken.project": _of(lambda token: token.environment.project),
    "ProjectToken.projectId": _of(lambda token: token.environment.project.id),
    "Project.deletedAt": _constant(None),
    "Project.environments": _environments,
    "Project.services": _services,
    "Project.workspaceId": _constant(None),
    "Environment.canAccess": lambda call, environment: call.access.opens(environment),
    "Environment.deletedAt": _constant(None),
    "Environment.isEphemeral": _of(lambda environment: environment.ephemeral),
    "Environment.projectId": _of(lambda environment: environment.project.id),
    "Environment.serviceInstances": _instances,
    "Environment.variables": _environment_variables,
    "Service.deletedAt": _constant(None),
    "Service.projectId": _of(lambda service: service.project.id),
    "ServiceInstance.activeDeployments": _of(lambda instance: instance.active),
    "ServiceInstance.environmentId": _of(lambda instance: instance.environment.id),
    "ServiceInstance.latestDeployment": _of(lambda instance: instance.latest),
    "ServiceInstance.serviceId": _of(lambda instance: instance.service.id),
    "ServiceInstance.serviceName": _of(lambda instance: instance.service.name),
    "Deployment.canRedeploy": _constant(True),
    "Deployment.canRollback": _of(lambda deployment: deployment.status == "REMOVED"),
    "Deployment.createdAt": _of(lambda deployment: deployment.created),
    "Deployment.deploymentStopped": _of(lambda deployment: deployment.status in ("CRASHED", "REMOVED")),
    "Deployment.environmentId": _of(lambda deployment: deployment.instance.environment.id),
    "Deployment.instances": _of(_container),
    "Deployment.projectId": _of(lambda deployment: deployment.instance.environment.project.id),
    "Deployment.serviceId": _of(lambda deployment: deployment.instance.service.id),
    "Deployment.snapshotId": _of(lambda deployment: f"snapshot-{deployment.id}"),
    "Deployment.status": _status,
    "Deployment.statusUpdatedAt": _of(lambda deployment: deployment.changed),
    "Deployment.updatedAt": _of(lambda deployment: deployment.changed),
    "Variable.createdAt": _of(lambda variable: variable.created),
    "Variable.environmentId": _of(lambda variable: variable.environment.id),
    "Variable.isSealed": _of(lambda variable: variable.sealed),
    "Variable.references": _of(lambda variable: [] if variable.sealed else rendering.references(variable.value)),
    "Variable.updatedAt": _of(lambda variable: variable.updated),
    "TCPProxy.environmentId": _of(lambda proxy: proxy.instance.environment.id),
    "TCPProxy.proxyPort": _of(lambda proxy: proxy.port),
    "TCPProxy.serviceId": _of(lambda proxy: proxy.instance.service.id),
    "TCPProxy.syncStatus": _constant("ACTIVE"),
}
