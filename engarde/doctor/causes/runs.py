"""Causes in runs of Pulumi: two at once, killed ones, its passphrase and backend, and objects that it cannot drop."""

import re
import socket
from pathlib import Path
from typing import Literal

from engarde.checks import registry
from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import ANALYTICS
from engarde.declaration.stack_file import set_key
from engarde.declaration.stack_names import PROJECT
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, as_found, confirmed, ruled_out, unknown
from engarde.errors import Unreachable
from engarde.output.findings import Remedy
from engarde.pulumi_cli.state import admin_password, backend, state
from engarde.util.quoting import statement, word
from engarde.util.terminal import first_few

LISTED = 3
"""How many objects of a schema are named."""

_RUNS = ("pulumi", "terraform", "engarde")
_LOCK = re.compile(
    r"file://(?P<path>(?:(?!file://)\S)+?\.json)|created by (?P<who>[^\s@]+)@(?P<host>[^\s@]+) \(pid (?P<pid>\d+)\)"
)


def _another_run(facts: Facts) -> Answer:
    for client in facts.clients:
        if client.application.lower().startswith(_RUNS):
            return confirmed(f"running now: {client}")
    return ruled_out("no other run changes roles or privileges now")


def _wait(facts: Facts) -> Remedy:
    return remedies.command("# when the other run has finished:", f"bin/pulumi up --stack {facts.stack.name}")


def _login_of(facts: Facts) -> Service | Analytics | None:
    name = facts.known_as([login.role for login in facts.stack.logins])
    return next((login for login in facts.stack.logins if login.role == name), None)


def _adopt(facts: Facts) -> Remedy:
    """By Pulumi if it can spell the name, because it keeps the stack file's comments and order."""
    if (login := _login_of(facts)) is None:
        return remedies.code("adopt: true")
    section, path = ("services", (login.name, "adopt")) if isinstance(login, Service) else (ANALYTICS, ("adopt",))
    if line := set_key(facts.stack.name, section, path, "true"):
        return remedies.command(line, f"bin/pulumi up --stack {facts.stack.name}")
    return remedies.of_login(login, "adopt", "true")


def _lockers(facts: Facts) -> list[tuple[str, bool]]:
    """The processes of this machine that locked the state, according to the text, and whether each still runs."""
    found = [lock for lock in _LOCK.finditer(facts.error.text) if lock["pid"] and lock["host"] == socket.gethostname()]
    return [(lock["pid"], Path("/proc", lock["pid"]).exists()) for lock in found]


def _killed(facts: Facts) -> Answer:
    paths = [lock["path"] for lock in _LOCK.finditer(facts.error.text) if lock["path"]]
    if paths and not Path(paths[0]).exists():
        return ruled_out("the lock is gone")
    for process, at_work in _lockers(facts):
        if at_work:
            return ruled_out(f"process {process} is still running")
        return confirmed(f"process {process} holds the lock, but is not running any more")
    return unknown("only the machine that locked it can tell whether the run is still in progress")


def _works(facts: Facts) -> Answer:
    for process, at_work in _lockers(facts):
        if at_work:
            return confirmed(f"process {process} is running")
    return ruled_out("no run on this machine holds the lock")


def _cancel(facts: Facts) -> Remedy:
    stack = facts.stack.name
    return remedies.command(f"bin/pulumi cancel --yes --stack {stack}", f"bin/pulumi up --refresh --stack {stack}")


def _torn(facts: Facts) -> Answer:
    (check,) = (check for check in registry.answering("killed run") if check.scope == "stack")
    if found := check.findings(facts.stack, facts.observed):
        because = f"{found[0].subject} is empty; it only repeats the type and digest of the file beside it"
        return confirmed(because, remedies.command(*(finding.remedy.text for finding in found)))
    return ruled_out("no .attrs file of the state is empty")


def _no_passphrase(facts: Facts) -> Answer:
    try:
        admin_password(facts.stack.name)
    except Unreachable as why:
        if "passphrase" not in str(why):
            raise
        return confirmed("Pulumi asks for the passphrase now, too")
    return ruled_out("Pulumi can decrypt the stack's secrets")


def _no_stack(facts: Facts) -> Answer:
    try:
        state(facts.stack.name)
    except Unreachable as why:
        if "no stack named" not in str(why):
            raise
        return confirmed(f"Pulumi is logged in to {backend(facts.stack.name)}, which has no stack of this name")
    return ruled_out("Pulumi finds the stack in the backend that it is logged in to")


def _holds_data(facts: Facts) -> Answer:
    if facts.named.kind == "role":
        return ruled_out("the error is about a role")
    schema = facts.known_as(facts.catalog.schemas)
    if schema is None:
        return ruled_out("the schema does not exist now")
    held = facts.session.values("in_schema", schema=schema)
    if not held:
        return ruled_out(f"schema {schema} is empty")
    because = f"schema {schema} contains {first_few(held, LISTED)}"
    if service := _service_with(facts, "schema", schema):
        return confirmed(because, _retire(facts, service))
    owner = facts.catalog.schemas[schema].owner
    drop = f"-- if nobody needs what is in it, which is lost:\n{statement('DROP SCHEMA {} CASCADE', schema)}"
    return confirmed(because, Remedy("decision", drop, by_superuser=not facts.observed.admin.may(owner)))


def _role_holds(facts: Facts) -> Answer:
    name = facts.known_as(facts.catalog.roles)
    if facts.named.kind != "role" or name is None:
        return ruled_out("the error is not about a role that exists now")
    held = facts.session.tuples("held_by_role", role=name)
    if not held:
        return ruled_out(f"nothing depends on {name}")
    parts = [
        f"{'owned objects' if owned else 'privileges'} in {database or 'the server'} ({amount})"
        for database, owned, amount in held
    ]
    if service := _service_with(facts, "role", name):
        because = f"{name} has {', '.join(parts)}; it is the role of service {service}"
        return confirmed(because, _retire(facts, service))
    others = sorted({database for database, *_ in held if database} - {facts.stack.server.database})
    where = f"; run the fix in {', '.join(others)}, too" if others else ""
    # REASSIGN comes first, so that DROP OWNED removes privileges and no data.
    given = statement("REASSIGN OWNED BY {} TO {}", name, facts.stack.server.user)
    sql = f"{given}\n{statement('DROP OWNED BY {}', name)}"
    return confirmed(f"{name} has {', '.join(parts)}{where}", remedies.sql(facts, sql))


def _service_with(facts: Facts, key: Literal["schema", "role"], name: str) -> str | None:
    """The service with this schema in the database, or with this role: declared, or brought up by the last run."""
    for service in facts.stack.services:
        if name == (service.schema_ if key == "schema" else service.role):
            return service.name
    for brought_up, known in facts.observed.recorded.outputs.services.items():
        if known[key] == name and (key == "role" or known.get("database") == facts.stack.label):
            return brought_up
    return None


def _retire(facts: Facts, service: str) -> Remedy:
    return remedies.command(f"bin/engarde retire {word(service)} --stack {facts.stack.name}")


def _retire_named(facts: Facts) -> Remedy:
    services = {name: service.name for service in facts.stack.services for name in (service.schema_, service.role)}
    return _retire(facts, services.get(facts.known_as(services) or "", remedies.SERVICE))


ANOTHER_RUN = Cause("two runs change the same object at the same time", _another_run, _wait)
LEFT_OVER = Cause.of_check(
    "the role exists, but is not in the state",
    "unknown role",
    because="{subject}: {actual}",
    otherwise="every existing role in question is in the state",
    remedy=_adopt,
    when=lambda facts: _login_of(facts) is not None,
    so=lambda facts, finding: finding.subject == facts.known_as([login.role for login in facts.stack.logins]),
    heal=as_found,
)
SCHEMA = Cause.of_check(
    "the schema exists and belongs to another role",
    "unknown schema",
    because="schema {subject}: {actual}",
    otherwise="no schema in question belongs to another role",
    remedy=_adopt,
    when=lambda facts: facts.named.kind == "schema",
    so=lambda facts, finding: finding.subject == facts.known_as([login.schema_ for login in facts.stack.services]),
    heal=as_found,
)
WORKS = Cause("another run is in progress", _works, _wait)
TORN = Cause(
    "a run was killed while it wrote the state",
    _torn,
    lambda facts: remedies.command(
        "# if this file is empty:", f"rm STATE/.pulumi/stacks/{PROJECT}/{facts.stack.name}.json.attrs"
    ),
)
KILLED = Cause("a killed run left its lock", _killed, _cancel)
PASSPHRASE = Cause(
    "Pulumi does not have the stack's passphrase",
    _no_passphrase,
    remedies.command(
        "export PULUMI_CONFIG_PASSPHRASE_FILE=/path/to/the/file",
        "# if it is lost: see docs/lost-state.md",
    ),
)
NO_STACK = Cause(
    "Pulumi is logged in to another backend, or the stack does not exist yet",
    _no_stack,
    lambda facts: remedies.command(
        "bin/pulumi login ADDRESS_OF_ITS_BACKEND",
        f"# if it was never created, or its state is lost: bin/pulumi stack init {word(facts.stack.name)}",
    ),
)
DATA = Cause("the schema contains data", _holds_data, _retire_named)
ROLE = Cause("the role owns objects or has privileges", _role_holds, _retire_named)
