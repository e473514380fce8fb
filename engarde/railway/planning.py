"""Plans a push: the variables that differ from the declaration, and the services that have to be deployed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Literal

from engarde.declaration.address import UNSTATED, Railway, Variable
from engarde.declaration.databases import database_of
from engarde.declaration.databases import find as find_database
from engarde.declaration.model import Analytics, Service, Stack
from engarde.declaration.resource_names import login_name, logins_by_name
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, Refused
from engarde.output.layout import Cell, Text
from engarde.pulumi_cli.logins import login_to, password_of
from engarde.pulumi_cli.state import Outputs, outputs
from engarde.railway.api import Api
from engarde.railway.project import Instance, Place, Project, Values, declared_instance, find, values
from engarde.util.unknown import UnknownName

DONE = ("SUCCESS", "SLEEPING")
FAILED = ("FAILED", "CRASHED", "REMOVED")
FOR_A_PERSON = ("NEEDS_APPROVAL", "WAITING")
OVERTAKEN = "SKIPPED"

Holds = Literal["set", "change", "same", "unknown"]
"""The variable is missing, has another value, has the right value, or is sealed."""
Due = Literal["none", "deploy", "wait", "person", "never"]
"""The running service needs nothing, a deployment, the end of one, a person to release one, or its first one."""

_HOLDS = {"unknown": "unknown (sealed)"}


@dataclass(frozen=True, slots=True)
class DesiredVariable:
    """One variable of one Railway service, by the stack file and the state."""

    login: str
    """the URL's owner: a service of the stack, or `analytics`"""
    service: str
    """the Railway service's name, as the stack file spells it"""
    variable: str
    url: str = field(repr=False)


def section(stack: Stack) -> Railway:
    """The project and the environment in which the services run.

    :raises ConfigError: the stack file does not name them.
    """
    if stack.railway is None:
        raise ConfigError(
            f"{file_name(stack.name)} has no engarde:railway. Add it, with the project and the environment on Railway"
            " (docs/railway.md)"
        )
    return stack.railway


def recipients(stack: Stack, only: Collection[str] = ()) -> dict[str, Service | Analytics]:
    """The logins whose URLs go to Railway, all or the named ones.

    :raises ConfigError: a name is not in the stack, or its URLs are not delivered.
    """
    everybody = logins_by_name(stack)
    for name in only:
        if name not in everybody:
            raise UnknownName(f"stack {stack.name}", "login", [name], everybody)
        if not everybody[name].on_railway:
            raise ConfigError(f"{name} has no Railway service: name one under `railway` in {file_name(stack.name)}")
    return {name: login for name, login in everybody.items() if login.on_railway and (not only or name in only)}


def desired_variables(stack: Stack, only: Collection[str] = ()) -> tuple[DesiredVariable, ...]:
    """Every variable of these logins, with the URL that the last `up` exported.

    :raises Refused: the stack file was edited after that, so the URL would be another one.
    :raises Unreachable: `up` has not created a login yet.
    """
    made = outputs(stack.name)
    return tuple(
        DesiredVariable(name, service, variable, _url(stack, login, spec, made))
        for name, login in recipients(stack, only).items()
        for service in login.on_railway
        for variable, spec in (login.railway or UNSTATED).variables.items()
    )


def _url(stack: Stack, login: Service | Analytics, spec: Variable, made: Outputs) -> str:
    password = password_of(stack, login, made)
    database = find_database(stack, spec.database) if spec.database else database_of(stack, login)
    own = login_to(database, login, password, "service")
    if isinstance(login, Service):
        exported = made.database_urls.get(login.name)
    else:
        exported = made.analytics_urls.get(database.label) if database.label else made.analytics_url
    if own.url != exported:
        # Address, database or form was edited since: the new URL was never tried.
        raise Refused(
            f"the URL of {login_name(login)} was edited in the stack file after the last `up`. Nothing was delivered."
            f" Run `bin/pulumi up --stack {stack.name}` first"
        )
    address = (database.server_stack.unpooled_address if spec.unpooled else None) or database.service_address
    return replace(own, address=address, form=spec.url_format or login.url_format).url


@dataclass(frozen=True, slots=True)
class Step:
    """One Railway service: its variables, and its deployment."""

    instance: Instance
    logins: tuple[str, ...]
    variables: tuple[tuple[str, Holds], ...]
    due: Due
    urls: dict[str, str] = field(repr=False)
    """variable -> URL"""

    @property
    def service(self) -> str:
        """Its name on Railway."""
        return self.instance.name

    @property
    def sealed(self) -> tuple[str, ...]:
        """The variables whose values cannot be read."""
        return tuple(name for name, holds in self.variables if holds == "unknown")

    def writes(self, *, sealed: bool) -> dict[str, str]:
        """The variables to write; sealed ones only if `sealed`."""
        kinds = ("set", "change", "unknown") if sealed else ("set", "change")
        return {name: self.urls[name] for name, holds in self.variables if holds in kinds}

    @property
    def cells(self) -> tuple[str, str, Cell]:
        """The first cells of its row."""
        variables = [Text(f"{name}: {_HOLDS.get(holds, holds)}") for name, holds in self.variables]
        return ", ".join(self.logins), self.service, variables

    def data(self) -> dict[str, object]:
        return {
            "railwayService": self.service,
            "logins": list(self.logins),
            "variables": dict(self.variables),
            "deployment": self.due,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Every step, in the order of the services' names."""

    project: Project
    steps: tuple[Step, ...]
    held: dict[str | None, Values] = field(repr=False)
    """service's id -> its variables, as far as they were read"""

    @property
    def written(self) -> frozenset[Place]:
        """The variables that a push makes as declared."""
        return frozenset(Place(step.instance.service_id, name) for step in self.steps for name in step.urls)


def plan(stack: Stack, api: Api, only: Collection[str] = ()) -> Plan:
    """Plans a push of these logins' URLs, and writes nothing.

    :raises ConfigError: Railway does not have something that the stack file names, or has it twice.
    """
    declared = section(stack)
    desired = desired_variables(stack, only)
    project = find(api, declared)
    groups: dict[str, list[DesiredVariable]] = {}
    for variable in desired:
        service_id = declared_instance(project, declared, variable.service).service_id
        groups.setdefault(service_id, []).append(variable)
    held: dict[str | None, Values] = {service_id: values(api, project, service_id) for service_id in sorted(groups)}
    steps = [_step(project, project.instances[service], group, held[service]) for service, group in groups.items()]
    return Plan(project, tuple(sorted(steps, key=attrgetter("service"))), held)


def _step(project: Project, instance: Instance, group: list[DesiredVariable], held: Values) -> Step:
    urls = {desired.variable: desired.url for desired in group}
    stored = {name: project.stored.get(Place(instance.service_id, name)) for name in urls}
    holds = {name: _holds(held.written.get(name), url, stored[name]) for name, url in urls.items()}
    return Step(
        instance,
        tuple(sorted({desired.login for desired in group})),
        tuple(sorted(holds.items())),
        _due(instance, filter(None, stored.values()), writes=bool({"set", "change"} & {*holds.values()})),
        urls,
    )


def _holds(there: str | None, url: str, stored: datetime | None) -> Holds:
    if there is not None:
        return "same" if there == url else "change"
    # It is listed, but cannot be read: it is sealed.
    return "unknown" if stored else "set"


def _due(instance: Instance, updated: Iterable[datetime], *, writes: bool) -> Due:
    """What has to happen until the running service has its variables' values."""
    latest = instance.latest
    if latest is None:
        return "never"
    if writes:
        return "deploy"
    newest = max(updated, default=None)
    if newest is None:
        return "none"
    newer = [deployment for deployment in (latest, *instance.active) if deployment.created > newest]
    if any(deployment.status in DONE for deployment in newer):
        return "none"
    if latest not in newer or latest.status in (*FAILED, OVERTAKEN):
        return "deploy"
    return "person" if latest.status in FOR_A_PERSON else "wait"
