"""The steps of a move; each can be done again after a kill, because it finds done, or as it was, all that it does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from engarde.backup.backup import Options, backup
from engarde.backup.manifest import default, whole
from engarde.backup.restore import restore
from engarde.checks import journals, registry
from engarde.checks.journals import MoveJournal, Step
from engarde.checks.observed import Observed
from engarde.declaration.databases import display_name
from engarde.declaration.loader import FOLDER
from engarde.declaration.names import ANALYTICS
from engarde.declaration.resource_names import on_server
from engarde.errors import Unfinished
from engarde.output.findings import Finding
from engarde.pulumi_cli.logins import login_of_admin, login_to
from engarde.pulumi_cli.process import TAKE_OVER, engine, preview, up
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import ROLE, outputs, state, verifiers
from engarde.rotate import lockout
from engarde.rotate.delivery import deliverer
from engarde.rotate.lockout import prove
from engarde.server.session import session
from engarde.split.databases import SHOWN, differences, prepare
from engarde.split.inspect import contents
from engarde.split.move import Move, draft, move
from engarde.util.terminal import Say, indented, visible
from engarde.verify.run import Asked, verify

AS_DECLARED = (
    "schema",
    "owner",
    "grant",
    "undeclared grant",
    "grant option",
    "owner's right",
    "default privileges",
    "undeclared default privileges",
)
"""The checks that may not find anything in the new database before it is opened to the service."""


@dataclass(slots=True)
class Run:
    """One run of a command on a move."""

    stack: str
    begun: MoveJournal
    options: Options
    say: Say
    password: str = field(repr=False, default_factory=lockout.temporary_password)
    """temporary; only this process knows it"""

    @property
    def way(self) -> Move:
        """The move, by the stack file as it is now."""
        return move(read(FOLDER, self.stack), self.begun.service, *self.begun.way, self.begun.carried)

    def keep(self, **changes: object) -> None:
        """Records these changes in the journal."""
        self.begun = replace(self.begun, **changes)  # type: ignore[arg-type]
        journals.write_move(self.stack, self.begun)


def prepared(run: Run) -> None:
    """Prepares the new database, and checks that `up` and the delivery will work."""
    way = run.way
    with session(login_of_admin(way.old)) as asked:
        found = contents(asked, way.service)
    prepare(way, run.begun, found)
    _unprotect_reader(way)
    with draft(read(FOLDER, run.stack), way.after) as made:
        preview(run.stack, "--config-file", str(made.copy), environment=_taking_over(way))
    deliverer(read(FOLDER, run.stack)).check(way.moved)


def _taking_over(way: Move) -> Mapping[str, str]:
    return {TAKE_OVER: json.dumps([way.service.role])} if way.other_server else {}


def _unprotect_reader(way: Move) -> None:
    """If the stack is protected and the last service leaves a server, lets `up` drop the role of analytics there.

    The role owns nothing.

    :raises Unfinished: Pulumi does not unprotect it.
    """
    label, stack = way.source, way.after.name
    if label is None or not way.old.elsewhere or any(service.database == label for service in way.after.services):
        return
    name = on_server(f"{ANALYTICS}-role", way.old)
    for role in state(stack).resources:
        if role.type == ROLE and role.name == name:
            done = engine("state", "unprotect", role.urn, "--yes", "--stack", stack)
            if done.returncode:
                raise Unfinished(f"Pulumi could not unprotect {name} in its state:\n{done.stderr.strip()}")


def shut(run: Run) -> None:
    """Sets a password that nobody knows for the service, and ends its sessions."""
    way = run.way
    role = way.service.role
    for database in (way.old, way.new) if way.other_server else (way.old,):
        if lockout.login_status(database, role):
            lockout.shut_out(database, role, run.password)


def copied(run: Run) -> None:
    """Makes a backup of the service in the old database; it stays as a safety copy."""
    way, name = run.way, run.begun.service
    folder = Path(run.begun.folder) if run.begun.folder else default(run.stack, name, datetime.now(UTC))
    run.keep(folder=str(folder))
    if not folder.exists():
        backup(way.before, name, folder, run.options, run.say, login_to(way.old, way.service, run.password))


def restored(run: Run) -> None:
    """Restores the backup into the new database, in place of what the service had there, and compares the two."""
    way = run.way
    lockout.let_in(way.new, way.service.role)
    login, folder = login_to(way.new, way.moved, run.password), Path(run.begun.folder or "")
    restore(way.after, run.begun.service, folder, run.options, run.say, replace=True, login=login)


def left(run: Run) -> None:
    """Closes the old database to the role, and makes sure that nothing there has changed since the backup.

    :raises Unfinished: something has changed; the same command makes a new backup.
    """
    way = run.way
    role = way.service.role
    lockout.keep_out(way.old, role)
    wanted = whole(Path(run.begun.folder or "")).inventory
    run.say(f"comparing the data in {display_name(way.old)} with its backup")
    with session(login_of_admin(way.old)) as asked:
        prepared_ones = contents(asked, way.service).source.prepared
    changed = differences(way.old, role, wanted, run.say)
    with session(login_of_admin(way.old)) as asked:
        late = lockout.sessions(asked, role, way.old.server.database)
    if not (changed or late or prepared_ones):
        return
    lockout.let_in(way.old, role)
    run.keep(step=Step.PREPARED, folder=None)
    raise Unfinished(
        f"the data in {display_name(way.old)} has changed since its backup, or a session still works on it. The next"
        f" run makes a new backup.\n{indented(changed[:SHOWN])}"
    )


def switched(run: Run) -> None:
    """Writes the new database into the stack file."""
    now, way = read(FOLDER, run.stack), run.way
    if now != way.after:
        with draft(now, way.after) as made:
            made.put_in_place()


def brought_up(run: Run) -> None:
    """Brings up role, grants and URL; the second run removes from the state what stays in the old database."""
    way = run.way
    _unprotect_reader(way)
    for _ in range(2):
        up(run.stack, environment=_taking_over(way))


def opened(run: Run) -> None:
    """Sets the service's own password, once the new database is as declared and the old one is closed."""
    way = run.way
    role = way.service.role
    if not lockout.refused(login_to(way.old, way.service, run.password)):
        raise Unfinished(f"{role} can still log in to database {way.old.server.database}")
    with session(login_of_admin(way.new)) as asked:
        findings = registry.findings(way.new, Observed(way.new, lambda: asked), *AS_DECLARED)
    concerned = {role, way.service.schema_}
    if of_it := [finding for finding in findings if not finding.concerns or concerned & finding.concerns]:
        raise Unfinished(
            f"database {display_name(way.new)} is not as declared, so the service stays shut out. Fix this first:\n"
            + _listed(of_it)
        )
    lockout.put_verifier(way.new, way.moved, verifiers(run.stack))
    if warning := prove(way.after, role, outputs(run.stack).passwords[role]):
        run.say(warning)


def delivered(run: Run) -> None:
    """Sets the service's new URL on Railway and deploys it, if the stack file says where it runs."""
    if told := deliverer(read(FOLDER, run.stack)).deliver(run.way.moved):
        run.say(told)


def proved(run: Run) -> None:
    """Makes sure that every database is as declared."""
    if findings := verify(read(FOLDER, run.stack), Asked(), lambda _: None).findings:
        raise Unfinished(
            f"{run.begun.service} moved and works, but `bin/engarde verify` has {len(findings)} findings. Fix them:\n"
            + _listed(findings)
        )


def _listed(findings: Sequence[Finding]) -> str:
    return indented(
        f"{finding.check}: {visible(finding.subject)}; {finding.remedy.text}" for finding in findings[:SHOWN]
    )


FOLLOWING: Mapping[Step, tuple[str, str]] = {
    Step.BEGUN: ("prepared", "preparing the new database"),
    Step.PREPARED: ("shut", "shutting the service out"),
    Step.SHUT: ("copied", "making a backup"),
    Step.COPIED: ("restored", "restoring it into the new database"),
    Step.RESTORED: ("left", "closing the old database to the service"),
    Step.LEFT: ("switched", "writing the stack file"),
    Step.SWITCHED: ("brought_up", "bringing the stack up"),
    Step.UP: ("opened", "opening the new database to the service"),
    Step.OPENED: ("delivered", "delivering the new URL"),
    Step.DELIVERED: ("proved", "verifying every database"),
}
"""For each step, the function that does the next one, and what the operator is told meanwhile."""
