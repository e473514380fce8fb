"""Writes what is other than wanted, reads it back, and deploys each changed service once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engarde.errors import EngardeError, Refused
from engarde.railway import documents
from engarde.railway.api import Answered, Api
from engarde.railway.deploying import deploy, watch
from engarde.railway.old_logins import OldLogin
from engarde.railway.planning import Plan, Step
from engarde.railway.project import Project, values
from engarde.util.terminal import begin_change
from engarde.util.visible import visible

Say = Callable[[str, str], None]
"""Is told a service's name and what happens to it."""


@dataclass(frozen=True, slots=True)
class How:
    """What a push does beside writing."""

    deploy: bool = True
    wait: bool = True
    sealed: bool = False
    """writes variables that nobody can read, too"""
    timeout: float = 900.0
    """for all deployments together [seconds]"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """In which state a push has left a service."""

    step: Step
    good: bool
    says: str


def refuse_new(plan: Plan) -> None:
    """Keeps from writing what nothing would take up.

    :raises Refused: a service was never deployed.
    """
    if new := [step.service for step in plan.steps if step.due == "never"]:
        raise Refused(
            f"never deployed on Railway: {', '.join(new)}; nothing was written."
            " `--no-deploy` writes the variables, and the first deployment there takes them up"
        )


def refuse_left_behind(old: Sequence[OldLogin]) -> None:
    """Keeps from saying of a service that it is deployed, while it goes on with a login that is shut out.

    :raises Refused: a variable that is not declared holds one.
    """
    if old:
        listed = "\n".join(f"  {visible(str(each))}" for each in old)
        raise Refused(
            "variables that `push` does not write hold logins that are no longer right; nothing was written."
            f" `--despite-old-logins` goes on all the same:\n{listed}"
        )


def push(plan: Plan, api: Api, how: How, say: Say) -> tuple[Pushed, ...]:
    """The state of every service; one that fails does not stop the others, an API that is gone does."""
    deadline = time.monotonic() + how.timeout
    ends: dict[str, Pushed] = {}
    begun: dict[str, str | None] = {}
    names = {step.instance.service_id: step.service for step in plan.steps}
    try:
        for step in plan.steps:
            service = step.instance.service_id
            if end := _bring(step, plan.project, api, how, deadline, say):
                ends[service] = end
            else:
                latest = step.instance.latest
                begun[service] = latest.id if latest and step.due != "wait" else None
        watched = watch(api, plan.project, begun, deadline, lambda service, word: say(names[service], word))
        steps = {step.instance.service_id: step for step in plan.steps}
        for service, ended in watched if begun else ():
            ends[service] = Pushed(steps[service], ended.good, ended.says)
    except EngardeError as gone:
        for step in plan.steps:
            service = step.instance.service_id
            state = "its deployment was begun, and its end not seen" if service in begun else "not finished"
            ends.setdefault(service, Pushed(step, False, f"{state}: {gone}"))
    return tuple(ends[step.instance.service_id] for step in plan.steps)


def _bring(step: Step, project: Project, api: Api, how: How, deadline: float, say: Say) -> Pushed | None:
    """Writes and deploys one service; none while its deployment goes on."""
    try:
        written = _write(step, project, api, how, say)
        if not how.deploy or step.due == "never" or not (written or step.due in ("deploy", "wait")):
            return _at_rest(step, how, written)
        if written or step.due == "deploy":
            say(step.service, "deploying")
            if not deploy(api, project, step.instance, deadline):
                return Pushed(step, False, "written; Railway builds an earlier deployment still: run it again later")
    except Answered as refusal:
        return Pushed(step, False, str(refusal))
    return None if how.wait else Pushed(step, True, "its deployment was begun")


def _write(step: Step, project: Project, api: Api, how: How, say: Say) -> bool:
    urls = step.writes(sealed=how.sealed)
    if not urls:
        return False
    say(step.service, f"writing {', '.join(urls)}")
    service = step.instance.service_id
    # Without a service it would be a variable of the whole environment, and every service would get it.
    assert service
    begin_change()
    api.ask(
        documents.WRITE,
        input={
            "projectId": project.id,
            "environmentId": project.environment,
            "serviceId": service,
            "replace": False,
            "skipDeploys": True,
            "variables": urls,
        },
    )
    there = values(api, project, service).written
    lost = [name for name, url in urls.items() if there.get(name) != url and name not in step.sealed]
    if lost:
        raise Answered(f"yes, and then gives something else back for {', '.join(lost)}")
    return True


def _at_rest(step: Step, how: How, written: bool) -> Pushed:
    if step.sealed and not how.sealed:
        names = ", ".join(step.sealed)
        return Pushed(step, False, f"{names} is sealed, so that nobody knows its value; `--write-sealed` writes it")
    if step.due == "person":
        return Pushed(step, False, "its deployment waits for a person on Railway")
    if step.due == "never":
        return Pushed(step, True, "written; its first deployment takes it up" if written else "never deployed")
    if written:
        return Pushed(step, True, "written; what runs has the old one until it is deployed")
    return Pushed(step, True, "as declared" if step.due == "none" else "as declared, and not deployed since")
