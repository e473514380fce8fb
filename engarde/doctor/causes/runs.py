"""Causes that lie in runs of the engine: two at once, killed ones, and what it has to be told."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from engarde.declaration.loader import PROJECT
from engarde.declaration.model import Analytics, Service
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.doctor.rows import Client
from engarde.errors import Unreachable
from engarde.output.findings import Remedy
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.state import admin_password, backend, state
from engarde.util.quoting import word

_RUNS = ("pulumi", "terraform", "engarde")
_LOCK = re.compile(
    r"file://(?P<path>(?:(?!file://)\S)+?\.json)|created by (?P<who>[^\s@]+)@(?P<host>[^\s@]+) \(pid (?P<pid>\d+)\)"
)


def _at_work(facts: Facts) -> list[Client]:
    return [each for each in facts.clients if each.application.lower().startswith(_RUNS)]


def _another_run(facts: Facts) -> Answer:
    if running := _at_work(facts):
        return confirmed(f"at work now: {running[0]}", _wait(facts))
    return ruled_out("nobody else is at work on roles and rights now")


def _wait(facts: Facts) -> Remedy:
    return remedies.command("# when the other run has ended:", f"bin/pulumi up --stack {facts.stack.name}")


def _login_of(facts: Facts) -> Service | Analytics | None:
    name = facts.known_as([login.role for login in facts.stack.logins])
    return next((login for login in facts.stack.logins if login.role == name), None)


def _not_in_the_state(facts: Facts) -> Answer:
    login = _login_of(facts)
    if login is None:
        return ruled_out("it is no role of the stack file")
    if login.role not in facts.catalog.roles:
        return ruled_out(f"{login.role} is not on the server now")
    if login.adopt:
        return ruled_out("adopt: true is declared; the next run takes it over")
    if login.role in _known_to_the_state(facts):
        return ruled_out(f"{login.role} is in the state")
    because = f"{login.role} is on the server and not in the state: a killed run's, or the setup guide's"
    return confirmed(because, remedies.setting(facts, login, "adopt", "true"))


def _known_to_the_state(facts: Facts) -> frozenset[str]:
    try:
        return frozenset(facts.passwords)
    except Unreachable as why:
        # A first run that was killed leaves no outputs.
        if "no outputs yet" in str(why) or "was not brought up" in str(why):
            return frozenset()
        raise


def _schema_of_another(facts: Facts) -> Answer:
    name = facts.known_as([service.schema_ for service in facts.stack.services])
    service = facts.service_of(name or "")
    found = facts.catalog.schemas.get(name or "")
    if facts.named.kind != "schema" or service is None or found is None:
        return ruled_out("it is no schema of the stack file that is there")
    if service.adopt or found.owner in (service.role, facts.stack.server.user):
        return ruled_out(f"schema {name} is {found.owner}'s, and the next run takes it")
    because = f"schema {name} is {found.owner}'s"
    return confirmed(because, remedies.setting(facts, service, "adopt", "true"))


def _adopt(facts: Facts) -> Remedy:
    login = _login_of(facts)
    return remedies.setting(facts, login, "adopt", "true") if login else remedies.code("adopt: true")


def _killed(facts: Facts) -> Answer:
    said = [match.groupdict() for match in _LOCK.finditer(facts.heard.text)]
    path = next((each["path"] for each in said if each["path"]), None)
    if path and not Path(path).exists():
        return ruled_out("the lock is gone")
    for each in said:
        if each["pid"] and each["host"] == socket.gethostname():
            if Path("/proc", each["pid"]).exists():
                return ruled_out(f"process {each['pid']} is at work")
            return confirmed(f"process {each['pid']}, which locked it, is no more")
    return unknown("whether the run that locked it still works, its own machine knows")


def _works(facts: Facts) -> Answer:
    said = [match.groupdict() for match in _LOCK.finditer(facts.heard.text)]
    for each in said:
        if each["pid"] and each["host"] == socket.gethostname() and Path("/proc", each["pid"]).exists():
            return confirmed(f"process {each['pid']} is at work", _wait(facts))
    return ruled_out("no run of this machine is at work")


def _cancel(facts: Facts) -> Remedy:
    stack = facts.stack.name
    return remedies.command(f"bin/pulumi cancel --yes --stack {stack}", f"bin/pulumi up --refresh --stack {stack}")


def _torn(facts: Facts) -> Answer:
    if files := [*stale_locks.torn(backend(facts.stack.name), facts.stack.name)]:
        because = f"{files[0].name} is empty; all that was to be in it is the type of its neighbour"
        return confirmed(because, remedies.command(*(f"rm {word(str(file))}" for file in files)))
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
LEFT_OVER = Cause("the role is there, and not in the state", _not_in_the_state, _adopt)
SCHEMA = Cause("the schema is somebody else's", _schema_of_another, _adopt)
WORKS = Cause("another run is at work", _works, _wait)
TORN = Cause("a run was killed as it wrote the state", _torn, _remove_side_file)
KILLED = Cause("a run was killed and left its lock", _killed, _cancel)
PASSPHRASE = Cause("the engine was not told the stack's passphrase", _no_passphrase, _name_file)
NO_STACK = Cause("the engine is logged in to another backend, or the stack is not made yet", _no_stack, _log_in)
