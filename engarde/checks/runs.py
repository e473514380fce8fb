"""What runs left behind: locks, unfinished work, roles that the state does not know, and what was never created."""

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
    Question("lock", "a lock on the stack's state by a run that has ended", "command", "`bin/pulumi cancel`"),
    Question(
        "killed run",
        "an operation that a killed run did not finish",
        "command",
        "`bin/pulumi refresh --clear-pending-creates` or `bin/pulumi up`",
    ),
    Question(
        "unknown role",
        "a role of the stack that is on the server but not in the state",
        "command",
        "`adopt: true`, then `bin/pulumi up`",
    ),
    Question(
        "unknown schema",
        "a schema of the stack that is on the server but not in the state",
        "command",
        "`adopt: true`, then `bin/pulumi up`",
    ),
    Question(
        "outside role",
        "a role that the stack file names and does not create, and that does not exist",
        "edit",
        "remove it from the stack file",
    ),
    Question("stack", "a stack, or a part of it, that was not brought up", "command", "`bin/pulumi up`"),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.RUNS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """What a killed run left, what the next run would refuse, and what it still has to create."""
    yield from _left(observed.recorded)
    named = {"roles": conflicts.roles(stack), "schemas": sorted(service.schema_ for service in stack.services)}
    existing = observed.session.query("existing", Existing, **named)
    taken = list(conflicts.taken(stack, existing, observed.recorded.state.made(ROLE)))
    for another in taken:
        yield _adopt(stack.name, another)
    for name in conflicts.absent(stack, existing):
        remedy = Remedy("edit", f"# remove {name} from engarde:outsideRoles and from all creators")
        expected, concerned = "exists, because the stack file names it", frozenset({name})
        yield Finding("outside role", name, expected, "does not exist", remedy, concerned)
    # Nothing can be brought up before they are adopted, and then everything is.
    if not taken:
        yield from _to_be_made(stack, observed.recorded.state)


@check(
    Question("open move", "an unfinished `split`", "command", "the command that resumes it"),
    Question("open rotation", "an unfinished `rotate`", "command", "the command that resumes it"),
    group="runs",
    needs=(),
    scope="stack",
    stage=Stage.FIRST,
)
def opened(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Unfinished moves and rotations on this machine, each with the command that resumes it."""
    roles = {login_name(login): login.role for login in stack.stack.logins}
    yield from (begun.finding() for begun in under_way(stack.name, roles))


@check(
    Question(
        "killed run",
        "a file beside the state that a killed run left empty, so that Pulumi cannot read the state",
        "command",
        "`rm`",
    ),
    group="runs",
    needs=("state",),
    scope="stack",
    stage=Stage.FIRST,
)
def torn(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Files that keep Pulumi from reading its state."""
    for file in stale_locks.torn(observed.recorded.backend, stack.name):
        actual = "empty: a run was killed while it wrote the file, and Pulumi cannot read the state beside it"
        remedy = Remedy("command", f"rm {word(str(file))}")
        yield Finding("killed run", file.name, "complete, or not there", actual, remedy)


def _left(recorded: Recorded) -> Iterator[Finding]:
    for lock in recorded.abandoned:
        actual = f"locked since {lock.since} by process {lock.pid}, which has ended"
        remedy = Remedy("command", f"bin/pulumi cancel --yes --stack {recorded.name}")
        yield Finding("lock", f"stack {recorded.name}", "not locked", actual, remedy)
    for pending in recorded.state.pending:
        # Only this command clears a pending creation.
        command = "refresh --clear-pending-creates" if pending.operation == "creating" else "up"
        remedy = Remedy("command", f"bin/pulumi {command} --stack {recorded.name}")
        actual = f"a run was killed while {pending.operation} it"
        yield Finding("killed run", pending.name, "no unfinished operation", actual, remedy)


def _adopt(name: str, taken: conflicts.Taken) -> Finding:
    login = taken.login
    section, path = ("services", (login.name,)) if isinstance(login, Service) else (ANALYTICS, ())
    if command := stack_file.set_key(name, section, (*path, "adopt"), "true"):
        remedy = Remedy("command", f"{command}\nbin/pulumi up --stack {name}")
    else:
        adopt: dict[str, object] = {"adopt": True}
        remedy = Remedy("edit", stack_file.lines(section, {path[0]: adopt} if path else adopt))
    whose = f", owned by {taken.owner}" if taken.owner else ""
    actual = f"on the server{whose}: left by a killed run, or created by hand"
    expected, concerned = "in the state, or `adopt: true`", frozenset({taken.name})
    return Finding(f"unknown {taken.kind}", taken.name, expected, actual, remedy, concerned)


def _to_be_made(stack: DatabaseStack, state: State) -> Iterator[Finding]:
    remedy = up(stack, refresh=False)
    if not state.made(ROLE) and "passwords" not in state.outputs:
        yield Finding("stack", stack.name, "brought up", "never brought up", remedy)
        return
    for login in stack.logins:
        parts = [f"role {login.role}"] if login.role not in state.made(ROLE) else []
        if isinstance(login, Service) and login.schema_ not in state.made(SCHEMA):
            parts.append(f"schema {login.schema_}")
        if parts:
            actual = f"not in the state: {', '.join(parts)}"
            yield Finding("stack", login_name(login), "brought up", actual, remedy, about(login))
    if "passwords" not in state.outputs:
        actual = "none, because the run did not finish"
        yield Finding("stack", stack.name, "outputs, with every password", actual, remedy)
