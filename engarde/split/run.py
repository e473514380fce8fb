"""Moves a service, resumes a move that was killed, undoes a move or moves back, and drops what a move has left."""

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
"""Ends the command if the operator says no."""


def run(stack: str, name: str, to: str, options: Options, ask: Ask, say: Say) -> Moved | MovePlan:
    """Moves the service, or resumes its move; a dry run only plans it.

    :raises Refused: there are obstacles, or another move is open.
    :raises Unfinished: the move was begun; the same command resumes it.
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
                raise Refused(f"{name} cannot move yet. Nothing was changed.\n{indented(found.obstacles)}")
            ask(
                f"This ends the sessions of {name} and shuts it out, until about {found.contents.source.rows} rows are"
                f" in {display_name(found.move.new)} and it has its new URL."
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
    """Undoes a move that has not written the stack file yet, or moves the service back to its old database.

    :raises Refused: the service did not move, or its old data is dropped already.
    :raises Unreachable: a server does not answer; nothing was begun.
    :raises Unfinished: the move back was begun; the same command resumes it.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with locked(declared, dry_run=options.dry_run):
        begun = _begun(stack, name)
        in_target = service_of(read(FOLDER, stack), name).database == begun.target
        undoes = not begun.returning and begun.step < Step.SWITCHED and not in_target
        if not begun.returning and begun.step < Step.LEFT and in_target:
            raise Refused(
                f"{file_name(stack)} says that {name} is in {begun.target}, but its data is still in"
                f" {_names(stack, begun)[0]}. Undo that edit of the file, then run the command again. Nothing was"
                " changed."
            )
        if options.dry_run:
            return _told(stack, begun, dry_run=True, undone=undoes)
        if undoes:
            return _undo(stack, begun)
        if not begun.returning:
            # If a server does not answer, this fails before the service is shut out.
            way = _way_out(stack, begun)
            for database in (way.old, way.new):
                lockout.login_status(database, way.service.role)
            # A role that a comparison in the old database has left would prevent one in the new database.
            dismiss(way.old, way.service.role)
            source = _names(stack, begun)[0]
            ask(f"This ends the sessions of {name} and shuts it out, until its data is back in {source}.")
            begun = replace(begun, returning=True, step=Step.BEGUN, folder=None, since=now())
            journals.write_move(stack, begun)
        return _go(Run(stack, begun, options, say))


def _begun(stack: str, name: str) -> MoveJournal:
    begun = journals.read_move(stack, name)
    if begun is None:
        raise Refused(
            f"this machine has no move of {name}: either `bin/engarde split run` moved it on another machine, or"
            " `bin/engarde split finish` has finished the move. Nothing was changed."
        )
    return begun


def _way_out(stack: str, begun: MoveJournal) -> Move:
    """The move out of the old database, even if the service is moving back, by the stack file as it is now."""
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
        # All data is back and compared: what the move created is not needed any more.
        notes = _taken_back(stack, begun) if begun.returning else ()
    moved = replace(_told(stack, begun), notes=notes, seconds=time.monotonic() - start)
    if begun.returning:
        journals.forget_move(stack, begun.service)
    return moved


def _taken_back(stack: str, begun: MoveJournal) -> tuple[str, ...]:
    """Removes what the move created; returns a sentence for each thing that stays."""
    with step("removing what the move created"):
        return remove(_way_out(stack, begun), begun)


@contextmanager
def _stopping() -> Iterator[None]:
    """Adds to an error of the block that the move was begun, and how to resume it."""
    try:
        yield
    except EngardeError as fault:
        raise Unfinished(
            f"{fault}\nThe move stopped here. Run the command again to resume, or `bin/engarde split back` to go back"
        ) from None


def _undo(stack: str, begun: MoveJournal) -> Moved:
    """Opens the old database to the service again; the move never wrote to it."""
    way = _way_out(stack, begun)
    role = way.service.role
    with _stopping():
        dismiss(way.old, role)
        notes = _taken_back(stack, begun)
        with step("opening the old database to the service again"):
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

    :param drop: the operator has agreed.
    :raises Refused: the schema may not be dropped, or the operator has not agreed.
    :raises Unreachable: a server does not answer; nothing was changed.
    :raises Unfinished: the server was lost meanwhile; the same command resumes.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with locked(declared, dry_run=dry_run):
        begun = _begun(stack, name)
        if begun.returning or begun.step < Step.DONE:
            raise Refused(begun.told(stack))
        way = move(declared, name, *begun.way, begun.carried)
        if declared != way.after:
            raise Refused(
                f"{file_name(stack)} does not declare {name} in {begun.target} any more, where the move took it."
                " Correct the file, then run the command again. Nothing was dropped."
            )
        folder, role = Path(begun.folder or ""), way.service.role
        wanted = whole(folder).inventory
        found = lockout.login_status(way.old, role)
        if found and found.can_login and found.can_connect:
            raise Refused(
                f"{role} may still connect to database {display_name(way.old)}. Nothing was dropped. `bin/engarde"
                " verify` names the privilege"
            )
        # A role that an earlier comparison has left would be a finding.
        dismiss(way.old, role)
        if findings := verify(way.after, Asked(), lambda _: None).findings:
            listed = indented(f"{finding.check}: {visible(finding.subject)}" for finding in findings[:SHOWN])
            raise Refused(
                f"`bin/engarde verify` has {len(findings)} findings. Nothing was dropped. Fix them, then run the"
                f" command again:\n{listed}"
            )
        with session(login_of_admin(way.old)) as asked:
            there = asked.values("backup_schema", schema=way.service.schema_)
        if there:
            say("comparing the old data with its backup")
            if changed := differences(way.old, role, wanted, say):
                raise Refused(
                    f"schema {wanted.schema} of {display_name(way.old)} has changed since the move. Nothing was"
                    f" dropped.\n{indented(changed[:SHOWN])}"
                )
        held = Held(wanted.owned, len(wanted.large_objects))
        told = Finished(name, display_name(way.old), wanted.schema, held, str(folder), dry_run)
        if not drop and not dry_run:
            raise Refused(
                f"nothing was dropped. To drop schema {told.schema} of database {told.database} ({told.holds}), add"
                " --yes-drop-old"
            )
        if not dry_run:
            # The schema is gone if a kill came after it was dropped.
            if there:
                _drop(way)
            journals.forget_move(stack, name)
        return told


def _drop(way: Move) -> None:
    with lockout.changing(way.old) as asked:
        refuse_event_triggers(asked, way.old.server.user)
        asked.execute_file("backup_pinned")
        if needing := [visible(str(edge)) for edge in needed_by(asked, way.service.schema_)]:
            schema = visible(way.service.schema_)
            raise Refused(f"Nothing was dropped. These need objects of schema {schema}: {', '.join(needing)}")
        with lockout.acting(asked, way.service.role):
            asked.execute_file("backup_unlink")
            asked.execute_or_refuse(f"DROP SCHEMA {quoted(way.service.schema_)} CASCADE")
