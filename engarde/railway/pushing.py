"""Pushes: writes variables, reads them back, deploys each changed service once, and watches the deployments."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType

from engarde.errors import EngardeError, Refused, Unfinished
from engarde.output.findings import Remedy
from engarde.output.layout import Table, Text
from engarde.output.show import Result, remedy_data
from engarde.railway.api import Answered, Api, Unsure
from engarde.railway.audit import OldLogin
from engarde.railway.planning import DONE, FAILED, FOR_A_PERSON, OVERTAKEN, Plan, Step
from engarde.railway.project import Instance, Project, instance, instances, values
from engarde.util.terminal import begin_change, indented, visible

WRITE = "mutation ($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }"

DEPLOY = """mutation ($environment: String!, $service: String!) {
  serviceInstanceDeployV2(environmentId: $environment, serviceId: $service)
}"""

Say = Callable[[str, str], None]
"""Gets a service's name and what happens to it."""

HEADINGS = ("service", "on Railway", "variables")
_DUE = {"wait": "wait for the running one", "person": "on hold on Railway", "never": "none: never deployed"}

NOT_YET = "Cannot redeploy yet"
SOONEST, LATEST = 0.5, 5.0
"""Between two looks, growing from one to the other [seconds]."""
TRIES = 3
"""How often a deployment is requested if the connection breaks before it is known whether it was started."""


@dataclass(frozen=True, slots=True)
class Preview(Result):
    """A plan, and the old logins that a push of it leaves behind; never a value."""

    plan: Plan
    old: Sequence[OldLogin]

    @property
    def exit_code(self) -> int:
        """1 if there is something to do, or that is unknown."""
        to_do = any(step.writes(sealed=True) or step.due not in ("none", "never") for step in self.plan.steps)
        return 1 if self.old or to_do else 0

    def text(self) -> RenderableType:
        shown = Table([*HEADINGS, "deployment"])
        for step in self.plan.steps:
            shown.add_row(*step.cells, _DUE.get(step.due, step.due))
        return Group(shown, *(Text(str(login), style="red") for login in self.old))

    def data(self) -> dict[str, object]:
        old = [
            {
                "railwayService": login.service,
                "variable": login.variable,
                "role": login.role,
                "remedy": remedy_data(Remedy("code", login.remedy)),
            }
            for login in self.old
        ]
        return {"railwayServices": [step.data() for step in self.plan.steps], "oldLogins": old}


@dataclass(frozen=True, slots=True)
class How:
    """How a push works."""

    deploy: bool = True
    wait: bool = True
    sealed: bool = False
    """also writes sealed variables"""
    timeout: float = 900.0
    """for all deployments together [seconds]"""


@dataclass(frozen=True, slots=True)
class Pushed:
    step: Step
    good: bool
    says: str


@dataclass(frozen=True, slots=True)
class Push(Result):
    """The state of every service after a push."""

    ends: tuple[Pushed, ...]

    @property
    def exit_code(self) -> int:
        """4 if a service is not as declared."""
        return 0 if all(end.good for end in self.ends) else Unfinished.exit_code

    def text(self) -> RenderableType:
        shown = Table([*HEADINGS, "state"])
        for end in self.ends:
            shown.add_row(*end.step.cells, Text(end.says, style="green" if end.good else "red"))
        return shown

    def data(self) -> dict[str, object]:
        return {"railwayServices": [{**end.step.data(), "ok": end.good, "message": end.says} for end in self.ends]}


def refuse_new(plan: Plan) -> None:
    """Refuses to write variables that no deployment would use.

    :raises Refused: a service was never deployed.
    """
    if new := [step.service for step in plan.steps if step.due == "never"]:
        raise Refused(
            f"never deployed on Railway: {', '.join(new)}. Nothing was changed. Run the command with `--no-deploy` to"
            " write the variables only; the first deployment on Railway uses them"
        )


def refuse_left_behind(old: Sequence[OldLogin]) -> None:
    """Refuses to report services as deployed that still read an old login.

    :raises Refused: a variable that is not declared holds one.
    """
    if old:
        listed = indented(visible(str(login)) for login in old)
        raise Refused(
            "variables that `push` does not write hold old logins, which no longer work. Nothing was changed. Fix them,"
            f" or run the command with `--despite-old-logins`:\n{listed}"
        )


def push(plan: Plan, api: Api, how: How, say: Say) -> Push:
    """Pushes to every service: one that fails does not stop the others, but an API that does not answer does."""
    deadline = time.monotonic() + how.timeout
    ends: dict[str, Pushed] = {}
    begun: dict[str, str | None] = {}
    steps = {step.instance.service_id: step for step in plan.steps}
    try:
        for service, step in steps.items():
            if end := _bring(step, plan.project, api, how, deadline, say):
                ends[service] = end
            else:
                latest = step.instance.latest
                begun[service] = latest.id if latest and step.due != "wait" else None
        watched = _watch(api, plan.project, begun, deadline, lambda service, word: say(steps[service].service, word))
        for service, good, says in watched if begun else ():
            ends[service] = Pushed(steps[service], good, says)
    except EngardeError as gone:
        for service, step in steps.items():
            state = "its deployment was started, but its end was not seen" if service in begun else "not finished"
            ends.setdefault(service, Pushed(step, False, f"{state}: {gone}"))
    return Push(tuple(ends[service] for service in steps))


def _bring(step: Step, project: Project, api: Api, how: How, deadline: float, say: Say) -> Pushed | None:
    """Writes to one service and deploys it; None if its deployment has to be watched."""
    try:
        written = _write(step, project, api, how, say)
        if not how.deploy or step.due == "never" or not (written or step.due in ("deploy", "wait")):
            return _at_rest(step, how, written)
        if written or step.due == "deploy":
            say(step.service, "deploying")
            if not _deploy(api, project, step.instance, deadline):
                state = "not deployed: Railway is still building an earlier deployment. Run the command again later"
                return Pushed(step, False, state)
    except Answered as refusal:
        return Pushed(step, False, str(refusal))
    return None if how.wait else Pushed(step, True, "its deployment was started")


def _write(step: Step, project: Project, api: Api, how: How, say: Say) -> bool:
    urls = step.writes(sealed=how.sealed)
    if not urls:
        return False
    say(step.service, f"writing {', '.join(urls)}")
    service = step.instance.service_id
    # Without a service, the variable would be shared by the whole environment.
    assert service
    begin_change()
    where = {"projectId": project.id, "environmentId": project.environment, "serviceId": service}
    api.ask(WRITE, input={**where, "replace": False, "skipDeploys": True, "variables": urls})
    there = values(api, project, service).written
    if lost := [name for name, url in urls.items() if there.get(name) != url and name not in step.sealed]:
        raise Answered(f"the write succeeded, but another value is there for {', '.join(lost)}")
    return True


def _at_rest(step: Step, how: How, written: bool) -> Pushed:
    if step.sealed and not how.sealed:
        names = ", ".join(step.sealed)
        return Pushed(step, False, f"{names} is sealed, so its value cannot be compared; `--write-sealed` writes it")
    if step.due == "person":
        return Pushed(step, False, "its deployment is on hold on Railway; release it there")
    if step.due == "never":
        return Pushed(step, True, "written; its first deployment uses it" if written else "never deployed")
    if written:
        return Pushed(step, True, "written; the running service has the old value until it is deployed")
    return Pushed(step, True, "as declared" if step.due == "none" else "as declared, but not deployed since")


def _deploy(api: Api, project: Project, service: Instance, deadline: float) -> bool:
    """Starts one deployment with the current variables; false if Railway builds an earlier one for too long.

    :raises Answered: Railway refuses.
    """
    begin_change()
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
    for left in reversed(range(TRIES)):
        try:
            api.ask(DEPLOY, once=True, environment=project.environment, service=service.service_id)
            return
        except Unsure:
            if not left:
                raise
            if instance(api, project, service.service_id).latest != service.latest:
                return


def _watch(
    api: Api, project: Project, begun: Mapping[str, str | None], deadline: float, say: Callable[[str, str], None]
) -> Iterator[tuple[str, bool, str]]:
    """The end of each service's deployment, and whether it succeeded; for a skipped one, the end of its successor.

    `begun` is service's id -> id of the deployment before; `say` gets a service's id and Railway's word for its state
    whenever that changes.
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
                yield service, *ended
        if not left:
            return
        time.sleep(pause)
    for service, status in left.items():
        yield service, False, f"its deployment did not end within --timeout; last status: {status or 'none'}"


def _ended(status: str) -> tuple[bool, str] | None:
    if status in DONE:
        return True, "deployed"
    if status in FAILED:
        return False, f"its deployment ended as {status}; see its log on Railway"
    if status in FOR_A_PERSON:
        return False, f"its deployment is on hold on Railway ({status}); release it there"
    return (False, "its deployment was skipped because of another one") if status == OVERTAKEN else None


def _pauses(deadline: float) -> Iterator[float]:
    """How long to wait after each try, until the deadline of the monotonic clock; at least one try."""
    pause = SOONEST
    yield pause
    while time.monotonic() < deadline:
        pause = min(pause * 1.5, LATEST, max(0.0, deadline - time.monotonic()))
        yield pause
