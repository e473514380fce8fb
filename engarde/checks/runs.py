"""What runs have left behind: locks, half-done work, roles that the state does not know, and what was never begun."""

from collections.abc import Iterator

from engarde.checks.naming import about, up
from engarde.checks.observed import Observed, Recorded
from engarde.checks.registry import Question, Stage, check
from engarde.checks.under_way import under_way
from engarde.declaration import stack_file
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import ANALYTICS
from engarde.declaration.resource_names import login_name
from engarde.output.findings import Finding, Remedy
from engarde.preflight import conflicts
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.state import ROLE, SCHEMA, State
from engarde.server.catalog import Existing
from engarde.util.quoting import word


@check(
    Question("lock", "of the stack's state, by a run that has ended", "command", "`bin/pulumi cancel`"),
    Question(
        "killed run",
        "work that a killed run has left half done",
        "command",
        "`bin/pulumi refresh --clear-pending-creates` or `bin/pulumi up`",
    ),
    Question(
        "unknown role",
        "a role of the stack that is on the server and not in the state",
        "command",
        "`adopt: true`, then `bin/pulumi up`",
    ),
    Question("unknown schema", "the same of a schema", "command", "`adopt: true`, then `bin/pulumi up`"),
    Question(
        "outside role",
        "one that the stack file names, and that nobody has made",
        "edit",
        "it is taken out of the stack file",
    ),
    Question("stack", "whether all of it was brought up", "command", "`bin/pulumi up`"),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.RUNS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """What a killed run left, what the next run would refuse, and what it has still to make."""
    yield from _left(observed.recorded)
    named = {"roles": conflicts.roles(stack), "schemas": sorted(service.schema_ for service in stack.services)}
    existing = observed.session.query("existing", Existing, **named)
    taken = list(conflicts.taken(stack, existing, observed.recorded.state.made(ROLE)))
    for another in taken:
        yield _adopt(stack.name, another)
    for name in conflicts.absent(stack, existing):
        remedy = Remedy("edit", f"# without {name} under engarde:outsideRoles and under every creators")
        expected, concerned = "there, for the stack file names it", frozenset({name})
        yield Finding("outside role", name, expected, "no such role", remedy, concerned)
    # Nothing can be brought up before they are adopted, and all of it is with them.
    if not taken:
        yield from _to_be_made(stack, observed.recorded.state)


@check(
    Question("open move", "a `split` that has not come to its end", "command", "the command that goes on"),
    Question("open rotation", "a `rotate` that has not", "command", "the command that goes on"),
    group="runs",
    needs=(),
    scope="stack",
    stage=Stage.FIRST,
)
def opened(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Moves and rotations that were begun on this machine, each with what goes on."""
    roles = {login_name(login): login.role for login in stack.stack.logins}
    yield from (begun.finding() for begun in under_way(stack.name, roles))


@check(
    Question(
        "killed run",
        "a side file of the state that a killed run has left empty: nothing else can be learnt of the stack",
        "command",
        "`rm`",
    ),
    group="runs",
    needs=("state",),
    scope="stack",
    stage=Stage.FIRST,
)
def torn(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """What keeps the engine from reading its state."""
    for file in stale_locks.torn(observed.recorded.backend, stack.name):
        actual = "empty: a run was killed as it wrote it, and the engine reads no state beside it"
        remedy = Remedy("command", f"rm {word(str(file))}")
        yield Finding("killed run", file.name, "gone, or whole", actual, remedy)


def _left(recorded: Recorded) -> Iterator[Finding]:
    for lock in recorded.abandoned:
        actual = f"locked since {lock.since} by process {lock.pid}, which has ended"
        remedy = Remedy("command", f"bin/pulumi cancel --yes --stack {recorded.name}")
        yield Finding("lock", f"stack {recorded.name}", "not locked", actual, remedy)
    for pending in recorded.state.pending:
        # No other command forgets that it was about to make something.
        command = "refresh --clear-pending-creates" if pending.operation == "creating" else "up"
        remedy = Remedy("command", f"bin/pulumi {command} --stack {recorded.name}")
        actual = f"a run was killed {pending.operation} it"
        yield Finding("killed run", pending.name, "nothing half done", actual, remedy)


def _adopt(name: str, taken: conflicts.Taken) -> Finding:
    login = taken.login
    section, path = ("services", (login.name,)) if isinstance(login, Service) else (ANALYTICS, ())
    if command := stack_file.set_key(name, section, (*path, "adopt"), "true"):
        remedy = Remedy("command", f"{command}\nbin/pulumi up --stack {name}")
    else:
        adopt: dict[str, object] = {"adopt": True}
        remedy = Remedy("edit", stack_file.lines(section, {path[0]: adopt} if path else adopt))
    whose = f", {taken.owner}'s" if taken.owner else ""
    actual = f"on the server{whose}: left by a killed run, or made by hand"
    expected, concerned = "in the state, or `adopt: true`", frozenset({taken.name})
    return Finding(f"unknown {taken.kind}", taken.name, expected, actual, remedy, concerned)


def _to_be_made(stack: DatabaseStack, state: State) -> Iterator[Finding]:
    remedy = up(stack, refresh=False)
    if not state.made(ROLE) and "passwords" not in state.outputs:
        yield Finding("stack", stack.name, "brought up", "it never was", remedy)
        return
    for login in stack.logins:
        parts = [f"role {login.role}"] if login.role not in state.made(ROLE) else []
        if isinstance(login, Service) and login.schema_ not in state.made(SCHEMA):
            parts.append(f"schema {login.schema_}")
        if parts:
            actual = f"not in the state: {', '.join(parts)}"
            yield Finding("stack", login_name(login), "brought up", actual, remedy, about(login))
    if "passwords" not in state.outputs:
        actual = "none: its run did not come to its end"
        yield Finding("stack", stack.name, "outputs, with every password", actual, remedy)
