"""Reads from Railway: the ids of a project, its environment and its services, their deployments and variables."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engarde.declaration.address import Railway
from engarde.errors import ConfigError
from engarde.railway.api import Api
from engarde.util.unknown import UnknownName

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SECTION = "engarde:railway"

_INSTANCE = """
    serviceId serviceName
    latestDeployment { id status createdAt }
    activeDeployments { id status createdAt }
"""
_PAGE = "pageInfo { hasNextPage endCursor }"
_NAMED = f"(first: 50, after: $after) {{ edges {{ node {{ id name deletedAt }} }} {_PAGE} }}"
WHICH_ENVIRONMENT = "query { projectToken { projectId environmentId project { name } environment { name } } }"
PROJECTS = f"query ($after: String) {{ projects{_NAMED} }}"
PROJECT = "query ($project: String!) { project(id: $project) { id name deletedAt } }"
ENVIRONMENTS = f"query ($project: String!, $after: String) {{ project(id: $project) {{ environments{_NAMED} }} }}"
SERVICES = f"query ($project: String!, $after: String) {{ project(id: $project) {{ services{_NAMED} }} }}"

INSTANCES = f"""query ($project: String!, $environment: String!, $after: String) {{
  environment(id: $environment, projectId: $project) {{
    serviceInstances(first: 50, after: $after) {{ edges {{ node {{ {_INSTANCE} }} }} {_PAGE} }}
  }}
}}"""

INSTANCE = f"""query ($environment: String!, $service: String!) {{
  serviceInstance(environmentId: $environment, serviceId: $service) {{ {_INSTANCE} }}
}}"""

VARIABLES = f"""query ($project: String!, $environment: String!, $after: String) {{
  environment(id: $environment, projectId: $project) {{
    variables(first: 100, after: $after) {{ edges {{ node {{ name serviceId updatedAt }} }} {_PAGE} }}
  }}
}}"""

VALUES = """query ($project: String!, $environment: String!, $service: String) {
  written: variables(projectId: $project, environmentId: $environment, serviceId: $service, unrendered: true)
  rendered: variables(projectId: $project, environmentId: $environment, serviceId: $service, unrendered: false)
}"""


@dataclass(frozen=True, slots=True)
class Deployment:
    id: str
    status: str
    """Railway's word: BUILDING, SUCCESS, FAILED, ..."""
    created: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """A service in the environment."""

    service_id: str
    name: str
    latest: Deployment | None
    """None if it was never deployed"""
    active: tuple[Deployment, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """Variables and their values, without sealed ones."""

    written: Mapping[str, str] = field(repr=False)
    rendered: Mapping[str, str] = field(repr=False)
    """with their references resolved"""


@dataclass(frozen=True, slots=True)
class Place:
    service: str | None
    """the service's id; None if it is shared by all"""
    variable: str


@dataclass(frozen=True, slots=True)
class Project:
    """One environment of one project."""

    id: str
    environment: str
    """its id"""
    services: Mapping[str, str]
    """id -> name, also of services in other environments only"""
    instances: Mapping[str, Instance]
    """service's id -> the service in this environment"""
    stored: Mapping[Place, datetime]
    """every variable, also a sealed one -> when it was last written"""


def find(api: Api, declared: Railway) -> Project:
    """The declared project and environment, as far as the token may see them.

    :raises ConfigError: no such project or environment, or several of that name, or the token is for another one.
    """
    project, environment = (_of_token if api.token.of_project else _by_name)(api, declared)
    variables = _pages(api, VARIABLES, "environment", "variables", project=project, environment=environment)
    return Project(
        project,
        environment,
        _names(api, SERVICES, "project", "services", project=project),
        instances(api, project, environment),
        {Place(node["serviceId"], node["name"]): datetime.fromisoformat(node["updatedAt"]) for node in variables},
    )


def instances(api: Api, project: str, environment: str) -> dict[str, Instance]:
    """The services of the environment with their current deployments."""
    found = _pages(api, INSTANCES, "environment", "serviceInstances", project=project, environment=environment)
    return {node["serviceId"]: _instance(node) for node in found}


def instance(api: Api, project: Project, service: str) -> Instance:
    """One service of the environment, read again."""
    found = api.ask(INSTANCE, environment=project.environment, service=service)
    return _instance(found["serviceInstance"])


def declared_instance(project: Project, declared: Railway, name: str) -> Instance:
    """The service with this name in the stack file.

    :raises ConfigError: there is none in the environment, or there are several.
    """
    found = project.instances.get(_only(project.services, name, "service", "engarde:services", str.casefold))
    if found is None:
        raise ConfigError(f"engarde:services: service {name} is not in environment {declared.environment} on Railway")
    return found


def values(api: Api, project: Project, service: str | None) -> Values:
    """Every variable of a service, or those shared by all of them."""
    found = api.ask(VALUES, project=project.id, environment=project.environment, service=service)
    return Values(dict(found["written"]), dict(found["rendered"]))


def _of_token(api: Api, declared: Railway) -> tuple[str, str]:
    found = api.ask(WHICH_ENVIRONMENT)["projectToken"]
    project, environment = found["project"]["name"], found["environment"]["name"]
    if declared.project not in (project, found["projectId"]) or declared.environment != environment:
        raise ConfigError(
            f"{api.token.variable} is for environment {environment} of project {project}, but {SECTION} names"
            f" environment {declared.environment} of project {declared.project}. Change one of the two"
        )
    return found["projectId"], found["environmentId"]


def _by_name(api: Api, declared: Railway) -> tuple[str, str]:
    project = declared.project
    if _ID.fullmatch(project):
        # Railway refuses an unknown id.
        api.ask(PROJECT, project=project)
    else:
        project = _only(_names(api, PROJECTS, "projects"), project, "project")
    environments = _names(api, ENVIRONMENTS, "project", "environments", project=project)
    return project, _only(environments, declared.environment, "environment")


def _only(
    found: Mapping[str, str], name: str, kind: str, where: str = SECTION, spelled: Callable[[str], str] = str
) -> str:
    """The id of the only thing with this name, among these (id -> name)."""
    ids = [id_ for id_, known in found.items() if spelled(known) == spelled(name)]
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise UnknownName(f"{where}: Railway, as the token sees it,", kind, [name], sorted(found.values()))
    way = "use the project's id instead" if kind == "project" else "rename all but one"
    raise ConfigError(f"{where}: Railway has {len(ids)} {kind}s named {name}; {way}")


def _names(api: Api, document: str, *path: str, **variables: Any) -> dict[str, str]:
    """id -> name, without deleted ones."""
    found = _pages(api, document, *path, **variables)
    return {node["id"]: node["name"] for node in found if not node["deletedAt"]}


def _pages(api: Api, document: str, *path: str, **variables: Any) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        connection = api.ask(document, after=after, **variables)
        for step in path:
            connection = connection[step]
        yield from (edge["node"] for edge in connection["edges"])
        if not connection["pageInfo"]["hasNextPage"]:
            return
        after = connection["pageInfo"]["endCursor"]


def _instance(found: dict[str, Any]) -> Instance:
    latest = found["latestDeployment"]
    return Instance(
        found["serviceId"],
        found["serviceName"],
        _deployment(latest) if latest else None,
        tuple(map(_deployment, found["activeDeployments"])),
    )


def _deployment(found: dict[str, Any]) -> Deployment:
    return Deployment(found["id"], found["status"], datetime.fromisoformat(found["createdAt"]))
