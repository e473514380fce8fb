"""Deploys services, once each, and watches them to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engarde.railway import documents
from engarde.railway.api import Answered, Api, Unsure
from engarde.railway.planning import DONE, FAILED, FOR_A_PERSON, OVERTAKEN
from engarde.railway.project import Instance, Project, instance, instances
from engarde.util.terminal import begin_change

NOT_YET = "Cannot redeploy yet"
SOONEST, LATEST = 0.5, 5.0
"""Between two looks, growing from one to the other [seconds]."""
TRIES = 3
"""How often a deployment is asked for when the connection breaks before anybody knows whether it was begun."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a service's deployment ended."""

    good: bool
    says: str


def deploy(api: Api, project: Project, service: Instance, deadline: float) -> bool:
    """Begins one deployment with the variables as they are now; false where Railway builds an earlier one for too long.

    :raises Answered: Railway refuses.
    """
    for pause in _pauses(deadline):
        try:
            _begin(api, project, service)
            return True
        except Answered as refusal:
            if not refusal.message.startswith(NOT_YET):
                raise
        time.sleep(pause)
    return False


def _begin(api: Api, project: Project, service: Instance) -> None:
    begin_change()
    for _ in range(TRIES - 1):
        try:
            api.ask(documents.DEPLOY, once=True, environment=project.environment, service=service.service_id)
            return
        except Unsure:
            if instance(api, project, service.service_id).latest != service.latest:
                return
    api.ask(documents.DEPLOY, once=True, environment=project.environment, service=service.service_id)


def watch(
    api: Api, project: Project, begun: Mapping[str, str | None], deadline: float, say: Callable[[str, str], None]
) -> Iterator[tuple[str, Ended]]:
    """The end of each service's deployment, as it comes; one that is overtaken is watched in its successor.

    `begun` has the service's id and that of the deployment before; `say` is told a service's id and Railway's word
    for its state whenever that changes.
    """
    left = dict.fromkeys(begun, "")
    for pause in _pauses(deadline):
        now = instances(api, project.id, project.environment)
        for service in list(left):
            latest = now[service].latest if service in now else None
            if latest is None or latest.id == begun[service]:
                continue
            if latest.status != left[service]:
                say(service, latest.status)
                left[service] = latest.status
            if ended := _ended(latest.status):
                del left[service]
                yield service, ended
        if not left:
            return
        time.sleep(pause)
    for service, status in left.items():
        yield service, Ended(False, f"not at its end after the --timeout; last seen: {status or 'nothing'}")


def _ended(status: str) -> Ended | None:
    if status in DONE:
        return Ended(True, "deployed")
    if status in FAILED:
        return Ended(False, f"its deployment ended as {status}; its log is on Railway")
    if status in FOR_A_PERSON:
        return Ended(False, f"its deployment waits for a person ({status}) on Railway")
    return Ended(False, "its deployment was skipped for another") if status == OVERTAKEN else None


def _pauses(deadline: float) -> Iterator[float]:
    """How long to wait after each try, until the deadline of the monotonic clock; at least one try."""
    pause = SOONEST
    yield pause
    while time.monotonic() < deadline:
        pause = min(pause * 1.5, LATEST, max(0.0, deadline - time.monotonic()))
        yield pause
