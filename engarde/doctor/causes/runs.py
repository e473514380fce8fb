"""Causes that lie in runs of the engine: two at once, killed ones, and what it has to be told."""

import re
import socket
from pathlib import Path

from engarde.checks import registry
from engarde.declaration.model import Analytics, Service
from engarde.declaration.stack_file import PROJECT
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, as_found, confirmed, ruled_out, unknown
from engarde.doctor.rows import Client
from engarde.errors import Unreachable
from engarde.output.findings import Remedy
from engarde.pulumi_cli.state import admin_password, backend, state
from engarde.util.quoting import word

_RUNS = ("pulumi", "terraform", "engarde")
_LOCK = re.compile(
    r"file://(?P<path>(?:(?!file://)\S)+?\.json)|created by (?P<who>[^\s@]+)@(?P<host>[^\s@]+) \(pid (?P<pid>\d+)\)"
)


def _at_work(facts: Facts) -> list[Client]:
    return [client for client in facts.clients if client.application.lower().startswith(_RUNS)]


def _another_run(facts: Facts) -> Answer:
    if running := _at_work(facts):
        return confirmed(f"at work now: {running[0]}", _wait(facts))
    return ruled_out("nobody else is at work on roles and rights now")


def _wait(facts: Facts) -> Remedy:
    return remedies.command("# when the other run has ended:", f"bin/pulumi up --stack {facts.stack.name}")


def _login_of(facts: Facts) -> Service | Analytics | None:
    name = facts.known_as([login.role for login in facts.stack.logins])
    return next((login for login in facts.stack.logins if login.role == name), None)


def _adopt(facts: Facts) -> Remedy:
    login = _login_of(facts)
    return remedies.setting(facts, login, "adopt", "true") if login else remedies.code("adopt: true")


def _killed(facts: Facts) -> Answer:
    said = [match.groupdict() for match in _LOCK.finditer(facts.error.text)]
    path = next((match_groups["path"] for match_groups in said if match_groups["path"]), None)
    if path and not Path(path).exists():
        return ruled_out("the lock is gone")
    for match_groups in said:
        if match_groups["pid"] and match_groups["host"] == socket.gethostname():
            if Path("/proc", match_groups["pid"]).exists():
                return ruled_out(f"process {match_groups['pid']} is at work")
            return confirmed(f"process {match_groups['pid']}, which locked it, is no more")
    return unknown("whether the run that locked it still works, its own machine knows")


def _works(facts: Facts) -> Answer:
    said = [match.groupdict() for match in _LOCK.finditer(facts.error.text)]
    for match_groups in said:
        if (
            match_groups["pid"]
            and match_groups["host"] == socket.gethostname()
            and Path("/proc", match_groups["pid"]).exists()
        ):
            return confirmed(f"process {match_groups['pid']} is at work", _wait(facts))
    return ruled_out("no run of this machine is at work")


def _cancel(facts: Facts) -> Remedy:
    stack = facts.stack.name
    return remedies.command(f"bin/pulumi cancel --yes --stack {stack}", f"bin/pulumi up --refresh --stack {stack}")


def _torn(facts: Facts) -> Answer:
    (check,) = (check for check in registry.answering("killed run") if check.scope == "stack")
    if found := check.findings(facts.stack, facts.observed):
        because = f"{found[0].subject} is empty; all that was to be in it is the type of its neighbour"
        return confirmed(because, remedies.command(*(finding.remedy.text for finding in found)))
    return ruled_out("no side file of the state is empty")


def _remove_side_file(facts: Facts) -> Remedy:
    return remedies.command("# where it is empty:", f"rm STATE/.pulumi/stacks/{PROJECT}/{facts.stack.name}.json.attrs")


def _no_passphrase(facts: Facts) -> Answer:
    try:
        admin_password(facts.stack.name)
    except Unreachable as why:
        wrong = "passphrase" in str(why)
        return confirmed("the engine asks for it now, too") if wrong else unknown(" ".join(str(why).split()))
    return ruled_out("the engine reads the stack's secrets")


def _name_file(facts: Facts) -> Remedy:
    return remedies.command(
        "export PULUMI_CONFIG_PASSPHRASE_FILE=/path/to/the/file",
        "# where it is lost: docs/production.md, When the state or its passphrase is lost",
    )


def _no_stack(facts: Facts) -> Answer:
    try:
        state(facts.stack.name)
    except Unreachable as why:
        if "no stack named" not in str(why):
            return unknown(" ".join(str(why).split()))
        return confirmed(f"{backend(facts.stack.name)}, to which the engine is logged in, has none of this name")
    return ruled_out("the engine finds it in the backend that it is logged in to now")


def _log_in(facts: Facts) -> Remedy:
    return remedies.command(
        "bin/pulumi login ADDRESS_OF_ITS_BACKEND",
        f"# where it was never made, or its state is lost: bin/pulumi stack init {word(facts.stack.name)}",
    )


ANOTHER_RUN = Cause("two runs change the same at once", _another_run, _wait)
LEFT_OVER = Cause.of_check(
    "the role is there, and not in the state",
    "unknown role",
    because="{subject} is {actual}",
    otherwise="no role of the stack file that it may be about is on the server and not in the state",
    remedy=_adopt,
    when=lambda facts: _login_of(facts) is not None,
    so=lambda facts, finding: finding.subject == facts.known_as([login.role for login in facts.stack.logins]),
    heal=as_found,
)
SCHEMA = Cause.of_check(
    "the schema is somebody else's",
    "unknown schema",
    because="schema {subject} is {actual}",
    otherwise="no schema of the stack file that it may be about is another's",
    remedy=_adopt,
    when=lambda facts: facts.named.kind == "schema",
    so=lambda facts, finding: finding.subject == facts.known_as([login.schema_ for login in facts.stack.services]),
    heal=as_found,
)
WORKS = Cause("another run is at work", _works, _wait)
TORN = Cause("a run was killed as it wrote the state", _torn, _remove_side_file)
KILLED = Cause("a run was killed and left its lock", _killed, _cancel)
PASSPHRASE = Cause("the engine was not told the stack's passphrase", _no_passphrase, _name_file)
NO_STACK = Cause("the engine is logged in to another backend, or the stack is not made yet", _no_stack, _log_in)
