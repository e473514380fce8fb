"""The steps of a move, each of which can be done again after a kill: what it was about is done, or is as it was."""

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
"""The checks of which the new database may have no finding before the service comes in."""


@dataclass(slots=True)
class Run:
    """One command at work on a move."""

    stack: str
    begun: MoveJournal
    options: Options
    say: Say
    password: str = field(repr=False, default_factory=lockout.temporary_password)
    """temporary, and known to this process alone"""

    @property
    def way(self) -> Move:
        """The move, by the stack file as it is now."""
        return move(read(FOLDER, self.stack), self.begun.service, *self.begun.way, self.begun.carried)

    def keep(self, **changes: object) -> None:
        """Writes into the journal what is so now."""
        self.begun = replace(self.begun, **changes)  # type: ignore[arg-type]
        journals.write_move(self.stack, self.begun)


def prepared(run: Run) -> None:
    """The new database can take the service, and `up` is going to come to its end."""
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
    """Lets `up` drop the role of analytics on the server that the last service leaves, where the stack is protected.

    It owns nothing.

    :raises Unfinished: the engine does not.
    """
    label, stack = way.source, way.after.name
    if label is None or not way.old.elsewhere or any(service.database == label for service in way.after.services):
        return
    name = on_server(f"{ANALYTICS}-role", way.old)
    for role in state(stack).resources:
        if role.type == ROLE and role.name == name:
            done = engine("state", "unprotect", role.urn, "--yes", "--stack", stack)
            if done.returncode:
                raise Unfinished(f"the engine does not unprotect {name}:\n{done.stderr.strip()}")


def shut(run: Run) -> None:
    """Nobody outside can log in as the service, and none of its sessions is left."""
    way = run.way
    role = way.service.role
    for database in (way.old, way.new) if way.other_server else (way.old,):
        if lockout.login_status(database, role):
            lockout.shut_out(database, role, run.password)


def copied(run: Run) -> None:
    """A backup of what is in the old database, which stays as a safety copy."""
    way, name = run.way, run.begun.service
    folder = Path(run.begun.folder) if run.begun.folder else default(run.stack, name, datetime.now(UTC))
    run.keep(folder=str(folder))
    if not folder.exists():
        backup(way.before, name, folder, run.options, run.say, login_to(way.old, way.service, run.password))


def restored(run: Run) -> None:
    """It is in the new database, compared, in the place of what was there of the service's."""
    way = run.way
    lockout.let_in(way.new, way.service.role)
    login, folder = login_to(way.new, way.moved, run.password), Path(run.begun.folder or "")
    restore(way.after, run.begun.service, folder, run.options, run.say, replace=True, login=login)


def left(run: Run) -> None:
    """The role is kept out of the old database, in which nothing has changed since; or it is copied anew."""
    way = run.way
    role = way.service.role
    lockout.keep_out(way.old, role)
    wanted = whole(Path(run.begun.folder or "")).inventory
    run.say(f"comparing what stays in {display_name(way.old)} with the copy")
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
        f"{display_name(way.old)} is not as it was copied, or somebody is still at work in it; it is copied anew by the"
        f" same command:\n{indented(changed[:SHOWN])}"
    )


def switched(run: Run) -> None:
    """The stack file says so."""
    now, way = read(FOLDER, run.stack), run.way
    if now != way.after:
        with draft(now, way.after) as made:
            made.put_in_place()


def brought_up(run: Run) -> None:
    """Role, grants and URL are there; the second run lets go of what stays where it was."""
    way = run.way
    _unprotect_reader(way)
    for _ in range(2):
        up(run.stack, environment=_taking_over(way))


def opened(run: Run) -> None:
    """The right password is in force, once everything in the new database is as declared and the old one is shut."""
    way = run.way
    role = way.service.role
    if not lockout.refused(login_to(way.old, way.service, run.password)):
        raise Unfinished(f"{role} is still let into database {way.old.server.database}")
    with session(login_of_admin(way.new)) as asked:
        findings = registry.findings(way.new, Observed(way.new, lambda: asked), *AS_DECLARED)
    concerned = {role, way.service.schema_}
    if of_it := [finding for finding in findings if not finding.concerns or concerned & finding.concerns]:
        raise Unfinished(
            f"database {display_name(way.new)} is not as declared, so that the service stays shut out:\n"
            + _listed(of_it)
        )
    lockout.put_verifier(way.new, way.moved, verifiers(run.stack))
    if warning := prove(way.after, role, outputs(run.stack).passwords[role]):
        run.say(warning)


def delivered(run: Run) -> None:
    """The service runs with its new URL, where the stack file says where."""
    if told := deliverer(read(FOLDER, run.stack)).deliver(run.way.moved):
        run.say(told)


def proved(run: Run) -> None:
    """Nothing in any database is other than declared."""
    run.say("verify")
    if findings := verify(read(FOLDER, run.stack), Asked(), lambda _: None).findings:
        found = f"{len(findings)} findings:\n{_listed(findings)}"
        raise Unfinished(f"{run.begun.service} was moved and works, and `verify` has {found}")


def _listed(findings: Sequence[Finding]) -> str:
    return indented(
        f"{finding.check}: {visible(finding.subject)}; {finding.remedy.text}" for finding in findings[:SHOWN]
    )


FOLLOWING: Mapping[Step, tuple[str, str]] = {
    Step.BEGUN: ("prepared", "preparing the new database"),
    Step.PREPARED: ("shut", "shutting the service out"),
    Step.SHUT: ("copied", "copying"),
    Step.COPIED: ("restored", "loading the copy"),
    Step.RESTORED: ("left", "closing the old database"),
    Step.LEFT: ("switched", "writing the stack file"),
    Step.SWITCHED: ("brought_up", "up"),
    Step.UP: ("opened", "letting the service in"),
    Step.OPENED: ("delivered", "delivery"),
    Step.DELIVERED: ("proved", "verify of every database"),
}
"""Which function follows each step, after which the move is one step further, and what that is called."""
