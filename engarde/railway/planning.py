"""What a push would do: which variables are other than wanted, and which deployments have yet to see them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Literal

from rich.console import Group, RenderableType

from engarde.declaration.delivery import Railway
from engarde.declaration.model import Stack
from engarde.errors import ConfigError
from engarde.output.show import Result, Text, table
from engarde.pulumi_cli.resource_names import login_name
from engarde.pulumi_cli.state import outputs
from engarde.railway.api import Api
from engarde.railway.desired_variables import DesiredVariable, desired_variables, section
from engarde.railway.old_logins import OldLogin, old_logins
from engarde.railway.project import Instance, Place, Project, StoredVariable, Values, find, only_service, values

DONE = ("SUCCESS", "SLEEPING")
FAILED = ("FAILED", "CRASHED", "REMOVED")
FOR_A_PERSON = ("NEEDS_APPROVAL", "WAITING")
OVERTAKEN = "SKIPPED"

Holds = Literal["set", "change", "same", "unknown"]
"""Is not there yet, is another, is it already, or is sealed."""
Due = Literal["none", "deploy", "wait", "person", "never"]
"""What the running service lacks: nothing, a deployment, the end of one, somebody's approval, or its first one."""

_HOLDS = {"unknown": "unknown (sealed)"}
_DUE = {"wait": "wait for the one that runs", "person": "waits for a person", "never": "none: never deployed"}
HEADINGS = ("service", "on Railway", "variables")


@dataclass(frozen=True, slots=True)
class Step:
    """One Railway service: its variables, and its deployment."""

    service: str
    """its name on Railway"""
    instance: Instance
    logins: tuple[str, ...]
    variables: tuple[tuple[str, Holds], ...]
    due: Due
    urls: dict[str, str] = field(repr=False)
    """variable -> URL"""

    @property
    def sealed(self) -> tuple[str, ...]:
        """The variables whose values nobody can read."""
        return tuple(name for name, holds in self.variables if holds == "unknown")

    def writes(self, *, sealed: bool) -> dict[str, str]:
        """What has to be written; sealed ones only when that is asked for."""
        kinds = ("set", "change", "unknown") if sealed else ("set", "change")
        return {name: self.urls[name] for name, holds in self.variables if holds in kinds}

    @property
    def cells(self) -> tuple[str, str, RenderableType]:
        """How a row about it begins."""
        variables = Group(*(Text(f"{name}: {_HOLDS.get(holds, holds)}") for name, holds in self.variables))
        return ", ".join(self.logins), self.service, variables

    def data(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "railwayService": self.service,
            "services": list(self.logins),
            "variables": dict(self.variables),
            "deployment": self.due,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Every step, in the order of the services' names."""

    project: Project
    declared: Railway
    steps: tuple[Step, ...]
    held: dict[str | None, Values] = field(repr=False)
    """the variables that there are, by the service's id, as far as somebody asked"""

    @property
    def written(self) -> frozenset[Place]:
        """The variables that are as declared after a push."""
        return frozenset(Place(step.instance.service_id, name) for step in self.steps for name in step.urls)

    @property
    def to_do(self) -> bool:
        """Whether there is anything to do, or it is unknown whether."""
        return any(step.writes(sealed=True) or step.due not in ("none", "never") for step in self.steps)


@dataclass(frozen=True, slots=True)
class Preview(Result):
    """A plan, and the older logins that a push of it leaves behind; never a value."""

    plan: Plan
    old: Sequence[OldLogin]

    @property
    def exit_code(self) -> int:
        """1 where there is anything to do."""
        return 1 if self.old or self.plan.to_do else 0

    def text(self) -> RenderableType:
        """A row for each Railway service, then what a push would leave behind."""
        shown = table(*HEADINGS, "deployment")
        for step in self.plan.steps:
            shown.add_row(*step.cells, _DUE.get(step.due, step.due))
        return Group(shown, *(Text(str(login), style="red", overflow="fold") for login in self.old))

    def data(self) -> dict[str, object]:
        """The same for machines."""
        old = [
            {
                "railwayService": login.service,
                "variable": login.variable,
                "role": login.role,
                "remedy": login.remedy,
            }
            for login in self.old
        ]
        return {"services": [step.data() for step in self.plan.steps], "oldLogins": old}


def plan(stack: Stack, api: Api, only: Collection[str] = ()) -> Plan:
    """What a push of these logins' URLs would do; nothing is written.

    :raises ConfigError: the stack file names what Railway does not have, or has twice.
    """
    declared = section(stack)
    desired = desired_variables(stack, only)
    project = find(api, declared)
    named = {name: instance(project, declared, name) for name in {variable.service for variable in desired}}
    groups: dict[str, list[DesiredVariable]] = {found.service_id: [] for found in named.values()}
    for variable in desired:
        groups[named[variable.service].service_id].append(variable)
    held: dict[str | None, Values] = {service_id: values(api, project, service_id) for service_id in sorted(groups)}
    steps = [
        _step(project, named[group[0].service], group, held[service_id]) for service_id, group in sorted(groups.items())
    ]
    return Plan(project, declared, tuple(sorted(steps, key=attrgetter("service"))), held)


def left_behind(stack: Stack, api: Api, found: Plan, only: Collection[str] = ()) -> list[OldLogin]:
    """The variables that would hold an older login of these logins' roles, or of any role's, after a push."""
    roles = {login.role for login in stack.logins if not only or login_name(login) in only}
    known = {role: password for role, password in outputs(stack.name).passwords.items() if role in roles}
    return old_logins(stack, api, found.project, known, found.held, found.written)


def instance(project: Project, declared: Railway, name: str) -> Instance:
    """The service of that name in the environment.

    :raises ConfigError: there is none, or there are several.
    """
    found = project.instances.get(only_service(project, name, "engarde:services"))
    if found is None:
        raise ConfigError(f"engarde:services: the service {name} is not in environment {declared.environment}")
    return found


def _step(project: Project, instance: Instance, group: list[DesiredVariable], held: Values) -> Step:
    urls = {desired.variable: desired.url for desired in group}
    stored = {name: project.stored.get((instance.service_id, name)) for name in urls}
    holds = {name: _holds(held.written.get(name), url, stored[name]) for name, url in urls.items()}
    return Step(
        instance.name,
        instance,
        tuple(sorted({desired.login for desired in group})),
        tuple(sorted(holds.items())),
        due(
            instance,
            (variable.updated for variable in stored.values() if variable),
            writes=bool({"set", "change"} & {*holds.values()}),
        ),
        urls,
    )


def _holds(there: str | None, url: str, stored: StoredVariable | None) -> Holds:
    if there is not None:
        return "same" if there == url else "change"
    # Absent from what can be read, and listed: sealed.
    return "unknown" if stored else "set"


def due(instance: Instance, updated: Iterable[datetime], *, writes: bool) -> Due:
    """What has to happen until the running service has what is in its variables."""
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
