"""The steps of a move, each of which can be done again after a kill: what it was about is done, or is as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from engarde.backup.folder import default
from engarde.backup.making import How, backup
from engarde.backup.manifest import whole
from engarde.backup.restoring import restore
from engarde.checks import registry
from engarde.checks.observed import Observed
from engarde.declaration.databases import display_name
from engarde.declaration.loader import read
from engarde.errors import Unfinished
from engarde.pulumi_cli.commands import preview, up
from engarde.pulumi_cli.process import FOLDER
from engarde.pulumi_cli.resource_names import on_server
from engarde.pulumi_cli.state import outputs, verifiers
from engarde.rotate.delivery import Deliverer
from engarde.rotate.proof import prove
from engarde.server.credentials import login_of_admin
from engarde.server.session import session
from engarde.split import doors, journal, witness
from engarde.split.contents import contents
from engarde.split.editing import draft
from engarde.split.journal import Journal, Step
from engarde.split.move import Move, move
from engarde.split.preparing import prepare
from engarde.split.readers import unprotect_reader
from engarde.util.visible import visible
from engarde.verify.run import Asked, verify

Say = Callable[[str], None]
TAKE_OVER = "ENGARDE_TAKE_OVER"
"""The program's: the roles that were made before the state knew of them."""

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

SHOWN = 5
"""How many differences or findings are told."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command at work on a move."""

    stack: str
    how: How
    deliverer: Callable[[], Deliverer]
    """made for the stack file as it is by then"""
    say: Say
    password: str = field(repr=False)
    """temporary, and known to this process alone"""

    def move(self, begun: Journal) -> Move:
        """The way, by the stack file as it is now."""
        return move(read(FOLDER, self.stack), begun.service, *begun.way, begun.carried)

    def kept(self, begun: Journal) -> Journal:
        """Writes the journal."""
        journal.write(self.stack, begun)
        return begun


def prepared(run: Run, begun: Journal) -> Journal:
    """The new database can take the service, and `up` is going to come to its end."""
    way = run.move(begun)
    with session(login_of_admin(way.old)) as asked:
        found = contents(asked, way.service)
    prepare(way, begun, found)
    unprotect_reader(way)
    with draft(read(FOLDER, run.stack), way.after) as made:
        preview(run.stack, "--config-file", str(made.copy), environment=_taking_over(way))
    run.deliverer().check(way.moved)
    return replace(begun, step=Step.PREPARED)


def _taking_over(way: Move) -> Mapping[str, str]:
    return {TAKE_OVER: json.dumps([way.service.role])} if way.other_server else {}


def shut(run: Run, begun: Journal) -> Journal:
    """Nobody outside can log in as the service, and none of its sessions is left."""
    way = run.move(begun)
    role = way.service.role
    for database in (way.old, way.new) if way.other_server else (way.old,):
        if doors.door(database, role):
            doors.shut_out(database, role, run.password)
    return replace(begun, step=max(begun.step, Step.SHUT))


def copied(run: Run, begun: Journal) -> Journal:
    """A backup of what is in the old database, which stays as a safety copy."""
    way = run.move(begun)
    folder = Path(begun.folder) if begun.folder else default(run.stack, begun.service, datetime.now(UTC))
    begun = run.kept(replace(begun, folder=str(folder)))
    if not folder.exists():
        login = way.into_old(run.password)
        backup(way.before, begun.service, folder, run.how, run.say, login)
    return replace(begun, step=Step.COPIED)


def restored(run: Run, begun: Journal) -> Journal:
    """It is in the new database, compared, in the place of what was there of the service's."""
    way = run.move(begun)
    doors.let_in(way.new, way.service.role)
    login = way.into_new(run.password)
    restore(way.after, begun.service, Path(begun.folder or ""), run.how, run.say, replace=True, login=login)
    return replace(begun, step=Step.RESTORED)


def left(run: Run, begun: Journal) -> Journal:
    """The role is kept out of the old database, in which nothing has changed since; or it is copied anew."""
    way = run.move(begun)
    role = way.service.role
    doors.keep_out(way.old, role)
    wanted = whole(Path(begun.folder or "")).inventory
    run.say(f"comparing what stays in {display_name(way.old)} with the copy")
    with session(login_of_admin(way.old)) as asked:
        prepared_ones = contents(asked, way.service).source.prepared
    changed = witness.differences(way.old, role, wanted, run.say)
    with session(login_of_admin(way.old)) as asked:
        late = doors.sessions(asked, role, way.old.server.database)
    if not (changed or late or prepared_ones):
        return replace(begun, step=Step.LEFT)
    doors.let_in(way.old, role)
    run.kept(replace(begun, step=Step.PREPARED, folder=None))
    listed = "\n".join(f"  {visible(str(each))}" for each in changed[:SHOWN])
    raise Unfinished(
        f"{display_name(way.old)} is not as it was copied, or somebody is still at work in it; it is copied anew by the"
        f" same command:\n{listed}"
    )


def switched(run: Run, begun: Journal) -> Journal:
    """The stack file says so."""
    now, way = read(FOLDER, run.stack), run.move(begun)
    if now != way.after:
        with draft(now, way.after) as made:
            made.put_in_place()
    return replace(begun, step=Step.SWITCHED)


def brought_up(run: Run, begun: Journal) -> Journal:
    """Role, grants and URL are there; the second run lets go of what stays where it was."""
    way = run.move(begun)
    unprotect_reader(way)
    for _ in range(2):
        up(run.stack, environment=_taking_over(way))
    return replace(begun, step=Step.UP)


def opened(run: Run, begun: Journal) -> Journal:
    """The right password is in force, once everything in the new database is as declared and the old one is shut."""
    way = run.move(begun)
    role = way.service.role
    if not doors.refused(way.into_old(run.password)):
        raise Unfinished(f"{role} is still let into database {way.old.server.database}")
    with session(login_of_admin(way.new)) as asked:
        findings = registry.findings(way.new, Observed(way.new, lambda: asked), *AS_DECLARED)
    if of_it := [each for each in findings if not each.concerns or {role, way.service.schema_} & each.concerns]:
        listed = "\n".join(f"  {each.check}: {visible(each.subject)}; {each.remedy.text}" for each in of_it[:SHOWN])
        raise Unfinished(
            f"database {display_name(way.new)} is not as declared, so that the service stays shut out:\n{listed}"
        )
    doors.put_verifier(way.new, role, verifiers(run.stack)[on_server(f"{begun.service}-role", way.new)])
    warning = prove(way.after, role, outputs(run.stack).passwords[role])
    if warning:
        run.say(warning)
    return replace(begun, step=Step.OPENED)


def delivered(run: Run, begun: Journal) -> Journal:
    """The service runs with its new URL, where the stack file says where."""
    if told := run.deliverer().deliver(run.move(begun).moved):
        run.say(told)
    return replace(begun, step=Step.DELIVERED)


def proved(run: Run, begun: Journal) -> Journal:
    """Nothing in any database is other than declared."""
    run.say("verify")
    findings = verify(read(FOLDER, run.stack), Asked(), lambda _: None).findings
    if findings:
        listed = "\n".join(f"  {each.check}: {visible(each.subject)}; {each.remedy.text}" for each in findings[:SHOWN])
        raise Unfinished(f"{begun.service} was moved and works, and `verify` has {len(findings)} findings:\n{listed}")
    return replace(begun, step=Step.DONE)
