"""Moves a service, goes on with a move that was killed, undoes or returns one, and ends one: drops what was left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engarde.backup.backup import Options
from engarde.backup.inspect import needed_by
from engarde.backup.inventory import Held
from engarde.backup.manifest import whole
from engarde.checks import journals
from engarde.checks.journals import MoveJournal, Step, now
from engarde.declaration.databases import display_name, service_of
from engarde.declaration.loader import FOLDER
from engarde.declaration.stack_names import file_name
from engarde.errors import EngardeError, Refused, Unfinished
from engarde.pulumi_cli.logins import login_of_admin
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import verifiers
from engarde.rotate import lockout
from engarde.rotate.stack_change import locked
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import session
from engarde.split import steps
from engarde.split.databases import SHOWN, differences, dismiss, remove
from engarde.split.move import Move, move
from engarde.split.plan import plan
from engarde.split.report import Finished, Moved, MovePlan
from engarde.split.steps import FOLLOWING, Run
from engarde.util.quoting import quoted
from engarde.util.terminal import Say, indented, step, visible
from engarde.verify.run import Asked, verify

Ask = Callable[[str], None]
"""Ends the command where the operator says no."""


def run(stack: str, name: str, to: str, options: Options, ask: Ask, say: Say) -> Moved | MovePlan:
    """Moves the service, or goes on with that; in a dry run what would be done.

    :raises Refused: something stands in the way, or another move was begun.
    :raises Unfinished: it was begun, and the same command goes on.
    """
    declared = read(FOLDER, stack)
    with locked(declared, dry_run=options.dry_run):
        begun = journals.read_move(stack, name)
        if begun and (begun.returning or begun.target != to):
            raise Refused(begun.told(stack))
        if begun is None:
            found = plan(declared, name, to, options.pg_bin, say)
            if options.dry_run:
                return found
            if found.obstacles:
                raise Refused(f"{name} cannot be moved; nothing was changed:\n{indented(found.obstacles)}")
            ask(
                f"{name} is shut out and its sessions are ended from now until about {found.contents.source.rows} rows"
                f" are in {display_name(found.move.new)} and it has its new URL."
            )
            way, held = found.move, found.target.held
            begun = MoveJournal(
                service=name,
                source=way.source,
                target=to,
                returning=False,
                carried=tuple(extension.name for extension in found.contents.extensions),
                made_database=held is None,
                made_schema=held is None or held.owner is None,
                made_role=way.other_server and not found.target.server.role_there,
                since=now(),
            )
            journals.write_move(stack, begun)
        return _go(Run(stack, begun, options, say))


def back(stack: str, name: str, options: Options, ask: Ask, say: Say) -> Moved:
    """Undoes a move that has not come to the stack file, or moves the service back where it was.

    :raises Refused: it was not moved, or what it left is dropped already.
    :raises Unreachable: a server could not be asked, and it was not begun.
    :raises Unfinished: it was begun, and the same command goes on.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with locked(declared, dry_run=options.dry_run):
        begun = _begun(stack, name)
        in_target = service_of(read(FOLDER, stack), name).database == begun.target
        undoes = not begun.returning and begun.step < Step.SWITCHED and not in_target
        if not begun.returning and begun.step < Step.LEFT and in_target:
            raise Refused(
                f"{file_name(stack)} says that {name} is in {begun.target}, where its data was not brought: take that"
                " back in the file first"
            )
        if options.dry_run:
            return _told(stack, begun, dry_run=True, undone=undoes)
        if undoes:
            return _undo(stack, begun)
        if not begun.returning:
            # Whoever cannot be asked now has nobody shut out, and no way back begun.
            way = _way_out(stack, begun)
            for database in (way.old, way.new):
                lockout.login_status(database, way.service.role)
            # What a comparison in the old database had to leave is in the way of one in the new.
            dismiss(way.old, way.service.role)
            ask(f"{name} is shut out and its sessions are ended until its data is back in {_names(stack, begun)[0]}.")
            begun = replace(begun, returning=True, step=Step.BEGUN, folder=None, since=now())
            journals.write_move(stack, begun)
        return _go(Run(stack, begun, options, say))


def _begun(stack: str, name: str) -> MoveJournal:
    begun = journals.read_move(stack, name)
    if begun is None:
        raise Refused(f"{name} was not moved by `split run` on this machine, or `split finish` has ended it")
    return begun


def _way_out(stack: str, begun: MoveJournal) -> Move:
    """The move whether it is on its way out or back, by the stack file as it is now."""
    return move(read(FOLDER, stack), begun.service, begun.source, begun.target, begun.carried)


def _go(work: Run) -> Moved:
    start = time.monotonic()
    with _stopping():
        if Step.SHUT <= work.begun.step < Step.OPENED:
            with step("shutting the service out"):
                steps.shut(work)
        while work.begun.step < Step.DONE:
            name, title = FOLLOWING[work.begun.step]
            with step(title):
                getattr(steps, name)(work)
                work.keep(step=Step(work.begun.step + 1))
        stack, begun = work.stack, work.begun
        # All of it is back, compared: what the move had made is of no more use.
        notes = _taken_back(stack, begun) if begun.returning else ()
    moved = replace(_told(stack, begun), notes=notes, seconds=time.monotonic() - start)
    if begun.returning:
        journals.forget_move(stack, begun.service)
    return moved


def _taken_back(stack: str, begun: MoveJournal) -> tuple[str, ...]:
    """Takes away what the way out had made; what of it stays, a sentence each."""
    with step("taking back what was made"):
        return remove(_way_out(stack, begun), begun)


@contextmanager
def _stopping() -> Iterator[None]:
    """Says of whatever ends the block that it was begun."""
    try:
        yield
    except EngardeError as fault:
        raise Unfinished(
            f"{fault}\nIt was begun, and stopped here: the same command goes on; `bin/engarde split back` goes back"
        ) from None


def _undo(stack: str, begun: MoveJournal) -> Moved:
    """The old database was never written to: the service only has to be let in again."""
    way = _way_out(stack, begun)
    role = way.service.role
    with _stopping():
        dismiss(way.old, role)
        notes = _taken_back(stack, begun)
        with step("letting the service in again"):
            lockout.let_in(way.old, role)
            lockout.put_verifier(way.old, way.service, verifiers(stack))
    journals.forget_move(stack, begun.service)
    return replace(_told(stack, begun, undone=True), notes=notes)


def _told(stack: str, begun: MoveJournal, *, dry_run: bool = False, undone: bool = False) -> Moved:
    source, target = _names(stack, begun)
    if begun.returning or (dry_run and not undone):
        source, target = target, source
    return Moved(begun.service, source, target, dry_run, undone, begun.returning, begun.folder)


def _names(stack: str, begun: MoveJournal) -> tuple[str, str]:
    return begun.source or read(FOLDER, stack).server.database, begun.target


def finish(stack: str, name: str, say: Say, *, drop: bool, dry_run: bool) -> Finished:
    """Drops the schema that the service has left, with the large objects of its role.

    :raises Refused: it may not be dropped, or that was not said.
    :raises Unreachable: a server could not be asked; nothing was changed.
    :raises Unfinished: it was lost meanwhile: the same command goes on.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with locked(declared, dry_run=dry_run):
        begun = _begun(stack, name)
        if begun.returning or begun.step < Step.DONE:
            raise Refused(begun.told(stack))
        way = move(declared, name, *begun.way, begun.carried)
        if declared != way.after:
            raise Refused(f"{file_name(stack)} does not say that {name} is in {begun.target}")
        folder, role = Path(begun.folder or ""), way.service.role
        wanted = whole(folder).inventory
        found = lockout.login_status(way.old, role)
        if found and found.can_login and found.can_connect:
            raise Refused(
                f"{role} may enter database {display_name(way.old)}: `bin/engarde verify` names by what right"
            )
        # One that an earlier comparison had to leave would be a finding.
        dismiss(way.old, role)
        if findings := verify(way.after, Asked(), lambda _: None).findings:
            listed = indented(f"{finding.check}: {visible(finding.subject)}" for finding in findings[:SHOWN])
            raise Refused(f"`bin/engarde verify` has {len(findings)} findings; nothing was dropped:\n{listed}")
        with session(login_of_admin(way.old)) as asked:
            there = asked.values("backup_schema", schema=way.service.schema_)
        if there:
            say("comparing what was left with the copy")
            if changed := differences(way.old, role, wanted, say):
                raise Refused(
                    f"schema {wanted.schema} of {display_name(way.old)} is not as it was left; nothing was dropped:\n"
                    f"{indented(changed[:SHOWN])}"
                )
        held = Held(wanted.owned, len(wanted.large_objects))
        told = Finished(name, display_name(way.old), wanted.schema, held, str(folder), dry_run)
        if not drop and not dry_run:
            raise Refused(
                f"would drop schema {told.schema} of database {told.database}: {told.holds}. --yes-drop-old does"
            )
        if not dry_run:
            # A kill may have come between the two.
            if there:
                _drop(way)
            journals.forget_move(stack, name)
        return told


def _drop(way: Move) -> None:
    with lockout.changing(way.old) as asked:
        refuse_event_triggers(asked, way.old.server.user)
        asked.execute_file("backup_pinned")
        if needing := [visible(str(edge)) for edge in needed_by(asked, way.service.schema_)]:
            raise Refused(f"this needs what is in it, and nothing was dropped: {', '.join(needing)}")
        with lockout.acting(asked, way.service.role):
            asked.execute_file("backup_unlink")
            asked.execute_or_refuse(f"DROP SCHEMA {quoted(way.service.schema_)} CASCADE")
