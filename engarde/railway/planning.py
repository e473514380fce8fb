"""What a push would do: which variables are other than wanted, and which deployments have yet to see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Literal

from engarde.declaration.delivery import Railway
from engarde.declaration.model import Stack
from engarde.errors import ConfigError
from engarde.pulumi_cli.rotations import called
from engarde.pulumi_cli.state import outputs
from engarde.railway.api import Api
from engarde.railway.old_logins import OldLogin, old_logins
from engarde.railway.project import Instance, Kept, Place, Project, Values, find, only_service, values
from engarde.railway.wanted import Wanted, section, wanted

DONE = ("SUCCESS", "SLEEPING")
FAILED = ("FAILED", "CRASHED", "REMOVED")
FOR_A_PERSON = ("NEEDS_APPROVAL", "WAITING")
OVERTAKEN = "SKIPPED"

Holds = Literal["set", "change", "same", "unknown"]
"""Is not there yet, is another, is it already, or is sealed."""
Due = Literal["none", "deploy", "wait", "person", "never"]
"""What the running service lacks: nothing, a deployment, the end of one, somebody's approval, or its first one."""


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


def plan(stack: Stack, api: Api, only: Collection[str] = ()) -> Plan:
    """What a push of these logins' URLs would do; nothing is written.

    :raises ConfigError: the stack file names what Railway does not have, or has twice.
    """
    declared = section(stack)
    every = wanted(stack, only)
    project = find(api, declared)
    named = {name: instance(project, declared, name) for name in {each.service for each in every}}
    ordered = sorted(every, key=lambda each: named[each.service].service_id)
    held: dict[str | None, Values] = {
        each: values(api, project, each) for each in sorted({each.service_id for each in named.values()})
    }
    steps = [
        _step(project, named[group[0].service], group, held[service_id])
        for service_id, found in groupby(ordered, lambda each: named[each.service].service_id)
        if (group := list(found))
    ]
    return Plan(project, declared, tuple(sorted(steps, key=attrgetter("service"))), held)


def left_behind(stack: Stack, api: Api, found: Plan, only: Collection[str] = ()) -> list[OldLogin]:
    """The variables that would hold an older login of these logins' roles, or of any role's, after a push."""
    roles = {each.role for each in stack.logins if not only or called(each) in only}
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


def _step(project: Project, instance: Instance, group: list[Wanted], held: Values) -> Step:
    there = held.written
    kept = {each.variable: project.kept.get((instance.service_id, each.variable)) for each in group}
    holds = {each.variable: _holds(there.get(each.variable), each.url, kept[each.variable]) for each in group}
    return Step(
        instance.name,
        instance,
        tuple(sorted({each.login for each in group})),
        tuple(sorted(holds.items())),
        due(
            instance,
            (each.updated for each in kept.values() if each),
            writes=bool({"set", "change"} & {*holds.values()}),
        ),
        {each.variable: each.url for each in group},
    )


def _holds(there: str | None, url: str, kept: Kept | None) -> Holds:
    if there is not None:
        return "same" if there == url else "change"
    # Absent from what can be read, and listed: sealed.
    return "unknown" if kept else "set"


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
    newer = [each for each in (latest, *instance.active) if each.created > newest]
    if any(each.status in DONE for each in newer):
        return "none"
    if latest not in newer or latest.status in (*FAILED, OVERTAKEN):
        return "deploy"
    return "person" if latest.status in FOR_A_PERSON else "wait"
