"""What runs have left behind: locks, half-done work, roles that the state does not know, and what was never begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engarde.checks.observed import Seen
from engarde.declaration import stack_file_edits
from engarde.declaration.model import Service
from engarde.declaration.names import ANALYTICS
from engarde.output.findings import Finding, Remedy
from engarde.preflight import conflicts
from engarde.pulumi_cli.state import ROLE, SCHEMA
from engarde.util.quoting import word


def check(seen: Seen) -> Iterator[Finding]:
    """What a killed run left, what the next run would refuse, and what it has still to make."""
    yield from _locks(seen)
    yield from _pending(seen)
    taken = list(conflicts.taken(seen.stack, seen.existing, seen.state.made(ROLE)))
    for each in taken:
        yield _adopt(seen, each)
    for name in conflicts.absent(seen.stack, seen.existing):
        remedy = Remedy("edit", f"# without {name} under engarde:outsideRoles and under every creators")
        yield Finding(
            "outside role", name, "there, for the stack file names it", "no such role", remedy, frozenset({name})
        )
    # Nothing can be brought up before they are adopted, and all of it is with them.
    if not taken:
        yield from _to_be_made(seen)


def torn(files: Iterable[Path]) -> Iterator[Finding]:
    """What keeps the engine from reading its state."""
    for file in files:
        actual = "empty: a run was killed as it wrote it, and the engine reads no state beside it"
        remedy = Remedy("command", f"rm {word(str(file))}")
        yield Finding("killed run", file.name, "gone, or whole", actual, remedy)


def _locks(seen: Seen) -> Iterator[Finding]:
    for lock in seen.locks:
        actual = f"locked since {lock.since} by process {lock.pid}, which has ended"
        remedy = Remedy("command", f"bin/pulumi cancel --yes --stack {seen.stack.name}")
        yield Finding("lock", f"stack {seen.stack.name}", "not locked", actual, remedy)


def _pending(seen: Seen) -> Iterator[Finding]:
    for each in seen.state.pending:
        # No other command forgets that it was about to make something.
        command = "refresh --clear-pending-creates" if each.operation == "creating" else "up"
        remedy = Remedy("command", f"bin/pulumi {command} --stack {seen.stack.name}")
        yield Finding("killed run", each.name, "nothing half done", f"a run was killed {each.operation} it", remedy)


def _adopt(seen: Seen, taken: conflicts.Taken) -> Finding:
    name, login = seen.stack.name, taken.login
    section, path = ("services", (login.name,)) if isinstance(login, Service) else (ANALYTICS, ())
    if command := stack_file_edits.set_key(name, section, (*path, "adopt"), "true"):
        remedy = Remedy("command", f"{command}\nbin/pulumi up --stack {name}")
    else:
        adopt: dict[str, object] = {"adopt": True}
        remedy = Remedy("edit", stack_file_edits.lines(section, {path[0]: adopt} if path else adopt))
    whose = f", {taken.owner}'s" if taken.owner else ""
    actual = f"on the server{whose}: left by a killed run, or made by hand"
    return Finding(
        f"unknown {taken.kind}", taken.name, "in the state, or `adopt: true`", actual, remedy, frozenset({taken.name})
    )


def _to_be_made(seen: Seen) -> Iterator[Finding]:
    name, state = seen.stack.name, seen.state
    remedy = Remedy("command", f"bin/pulumi up --stack {name}")
    if not state.made(ROLE) and "passwords" not in state.outputs:
        yield Finding("stack", name, "brought up", "it never was", remedy)
        return
    for login in seen.stack.logins:
        parts = {f"role {login.role}"} - {f"role {each}" for each in state.made(ROLE)}
        concerned = {login.role}
        if isinstance(login, Service):
            parts |= {f"schema {login.schema_}"} - {f"schema {each}" for each in state.made(SCHEMA)}
            concerned.add(login.schema_)
        if parts:
            subject = login.name if isinstance(login, Service) else ANALYTICS
            actual = f"not in the state: {', '.join(sorted(parts))}"
            yield Finding("stack", subject, "brought up", actual, remedy, frozenset(concerned))
    if "passwords" not in state.outputs:
        yield Finding("stack", name, "outputs, with every password", "none: its run did not come to its end", remedy)
