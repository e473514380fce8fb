"""What the fake knows: projects, their environments and services, and what is written and deployed there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

SCRIPT = ("INITIALIZING", "BUILDING", "DEPLOYING", "SUCCESS")
UP = frozenset({"SUCCESS", "SLEEPING"})
START = datetime.min.replace(tzinfo=UTC)
ENDED = UP | {"FAILED", "CRASHED", "REMOVED", "SKIPPED"}


class Refusal(Exception):
    """What the API answers in `errors`, by its exact message."""


def new_id() -> str:
    return str(uuid4())


@dataclass(slots=True)
class Clock:
    """The server's own time, of which no two readings are equal."""

    ahead: timedelta = timedelta()
    """by how much it is ahead of this machine's"""
    last: datetime = START

    def tick(self) -> datetime:
        self.last = max(datetime.now(UTC) + self.ahead, self.last + timedelta(microseconds=1))
        return self.last


@dataclass(slots=True, eq=False)
class Project:
    name: str
    id: str = field(default_factory=new_id)
    environments: list[Environment] = field(default_factory=list, repr=False)
    services: list[Service] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Environment:
    project: Project
    name: str
    ephemeral: bool = False
    id: str = field(default_factory=new_id)
    instances: list[Instance] = field(default_factory=list, repr=False)
    variables: dict[tuple[str | None, str], Variable] = field(default_factory=dict, repr=False)
    """by the service's id, none for a shared one, and the name"""

    def of(self, service: Service | None) -> Iterator[Variable]:
        """The variables of one service, or the shared ones."""
        wanted = service.id if service else None
        return (variable for variable in self.variables.values() if variable.service_id == wanted)

    def instance(self, service_id: str) -> Instance | None:
        return next((each for each in self.instances if each.service.id == service_id), None)


@dataclass(slots=True, eq=False)
class Service:
    project: Project
    name: str
    id: str = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Proxy:
    """A TCP proxy in front of a service's instance."""

    instance: Instance
    domain: str
    port: int
    application_port: int
    id: str = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Instance:
    """A service in one environment."""

    service: Service
    environment: Environment
    id: str = field(default_factory=new_id)
    deployments: list[Deployment] = field(default_factory=list, repr=False)
    """oldest first"""
    scripts: deque[tuple[str, ...]] = field(default_factory=deque, repr=False)
    """what the next deployments go through"""
    proxies: list[Proxy] = field(default_factory=list, repr=False)

    @property
    def latest(self) -> Deployment | None:
        return self.deployments[-1] if self.deployments else None

    @property
    def active(self) -> list[Deployment]:
        return [deployment for deployment in self.deployments if deployment.status in UP]


@dataclass(slots=True, eq=False)
class Variable:
    environment: Environment
    service_id: str | None
    name: str
    value: str
    created: datetime
    updated: datetime
    sealed: bool = False
    id: str = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Deployment:
    instance: Instance
    script: Sequence[str]
    """the statuses that follow"""
    status: str
    created: datetime
    changed: datetime
    written: dict[str, str] = field(repr=False)
    """the variables at its creation, as written"""
    rendered: dict[str, str] = field(repr=False)
    """the same as the process is given them"""
    id: str = field(default_factory=new_id)

    @property
    def ended(self) -> bool:
        return not self.script and self.status in ENDED


@dataclass(frozen=True, slots=True)
class Token:
    """A project token: one environment of one project."""

    environment: Environment
    name: str
    value: str = field(default_factory=new_id, repr=False)
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class World:
    clock: Clock
    page_size: int
    account_token: str = field(default_factory=new_id, repr=False)
    refuses_overlaps: bool = False
    """whether a service with a deployment that has not ended takes another one"""
    projects: list[Project] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict, repr=False)

    def project(self, wanted: str) -> Project | None:
        return next((each for each in self.projects if each.id == wanted), None)

    def environment(self, wanted: str) -> Environment | None:
        return next((each for each in self.environments() if each.id == wanted), None)

    def deployment(self, wanted: str) -> Deployment | None:
        return next((each for each in self.deployments() if each.id == wanted), None)

    def environments(self) -> Iterator[Environment]:
        return (environment for project in self.projects for environment in project.environments)

    def deployments(self) -> Iterator[Deployment]:
        """All deployments, the oldest of each service first."""
        return (
            deployment
            for environment in self.environments()
            for instance in environment.instances
            for deployment in instance.deployments
        )

    def service_name(self, wanted: str) -> str | None:
        """The name of the service with an id, or of the one that a deployment with it belongs to."""
        for project in self.projects:
            for service in project.services:
                if service.id == wanted:
                    return service.name
        deployment = self.deployment(wanted)
        return deployment.instance.service.name if deployment else None
