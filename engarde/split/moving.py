"""Moves a service, goes on with a move that was killed, and undoes or returns one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engarde.backup.making import How
from engarde.checks.under_way import now
from engarde.declaration.databases import display_name, service_of
from engarde.declaration.loader import read
from engarde.errors import EngardeError, Refused, Unfinished
from engarde.pulumi_cli.process import FOLDER
from engarde.pulumi_cli.resource_names import on_server
from engarde.pulumi_cli.state import verifiers
from engarde.rotate.alone import alone
from engarde.rotate.delivery import Deliverer
from engarde.split import doors, journal, steps, witness
from engarde.split.journal import Journal, Step
from engarde.split.move import move
from engarde.split.planning import Plan, plan, under_way
from engarde.split.preparing import remove
from engarde.split.report import Moved
from engarde.split.steps import Run
from engarde.util.terminal import step

Say = Callable[[str], None]
Ask = Callable[[str], None]
"""Ends the command where the operator says no."""

FOLLOWING: dict[Step, tuple[str, str]] = {
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
"""What follows each step, and what it is called."""


def run(
    stack: str, name: str, to: str, how: How, deliverer: Callable[[], Deliverer], ask: Ask, say: Say
) -> Moved | Plan:
    """Moves the service, or goes on with that; in a dry run what would be done.

    :raises Refused: something stands in the way, or another move was begun.
    :raises Unfinished: it was begun, and the same command goes on.
    """
    declared = read(FOLDER, stack)
    with alone(stack, dry_run=how.dry_run):
        begun = journal.read(stack, name)
        if begun and (begun.returning or begun.target != to):
            raise Refused(under_way(declared, begun))
        if begun is None:
            found = plan(declared, name, to, how.pg_bin, say)
            if how.dry_run:
                return found
            _refuse_obstacles(found)
            ask(_notice(found))
            begun = _beginning(found)
            journal.write(stack, begun)
        return _go(stack, begun, how, deliverer, say)


def _refuse_obstacles(found: Plan) -> None:
    if found.obstacles:
        listed = "\n".join(f"  {each}" for each in found.obstacles)
        raise Refused(f"{found.move.service.name} cannot be moved; nothing was changed:\n{listed}")


def _notice(found: Plan) -> str:
    return (
        f"{found.move.service.name} is shut out and its sessions are ended from now until about"
        f" {found.contents.source.rows} rows are in {display_name(found.move.new)} and it has its new URL."
    )


def _beginning(found: Plan) -> Journal:
    way, held = found.move, found.target.held
    return Journal(
        service=way.service.name,
        source=way.source,
        target=way.target or "",
        returning=False,
        carried=tuple(each.name for each in found.contents.extensions),
        made_database=held is None,
        made_schema=held is None or held.owner is None,
        made_role=way.other_server and not found.target.server.role_there,
        since=now(),
    )


def back(stack: str, name: str, how: How, deliverer: Callable[[], Deliverer], ask: Ask, say: Say) -> Moved:
    """Undoes a move that has not come to the stack file, or moves the service back where it was.

    :raises Refused: it was not moved, or what it left is dropped already.
    :raises Unreachable: a server could not be asked, and it was not begun.
    :raises Unfinished: it was begun, and the same command goes on.
    """
    service_of(read(FOLDER, stack), name)
    with alone(stack, dry_run=how.dry_run):
        begun = journal.read(stack, name)
        if begun is None:
            raise Refused(f"{name} was not moved by `split run` on this machine, or `split finish` has ended it")
        in_target = service_of(read(FOLDER, stack), name).database == begun.target
        undoes = not begun.returning and begun.step < Step.SWITCHED and not in_target
        if not begun.returning and begun.step < Step.LEFT and in_target:
            raise Refused(
                f"Pulumi.{stack}.yaml says that {name} is in {begun.target}, where its data was not brought: take that"
                " back in the file first"
            )
        if how.dry_run:
            return _told(stack, begun, dry_run=True, undone=undoes)
        if undoes:
            return _undo(stack, begun)
        if not begun.returning:
            _refuse_unreachable(stack, begun)
            ask(f"{name} is shut out and its sessions are ended until its data is back in {_names(stack, begun)[0]}.")
            begun = replace(begun, returning=True, step=Step.BEGUN, folder=None, since=now())
            journal.write(stack, begun)
        return _go(stack, begun, how, deliverer, say)


def _refuse_unreachable(stack: str, begun: Journal) -> None:
    """Whoever cannot be asked now has nobody shut out, and no way back begun."""
    way = move(read(FOLDER, stack), begun.service, begun.source, begun.target, begun.carried)
    for database in (way.old, way.new):
        doors.door(database, way.service.role)
    # What a comparison in the old database had to leave is in the way of one in the new.
    witness.dismiss(way.old, way.service.role)


def _go(stack: str, begun: Journal, how: How, deliverer: Callable[[], Deliverer], say: Say) -> Moved:
    start, work = time.monotonic(), Run(stack, how, deliverer, say, doors.temporary_password())
    try:
        if Step.SHUT <= begun.step < Step.OPENED:
            with step("shutting the service out"):
                steps.shut(work, begun)
        while begun.step < Step.DONE:
            name, title = FOLLOWING[begun.step]
            with step(title):
                begun = work.kept(getattr(steps, name)(work, begun))
        # All of it is back, compared: what the move had made is of no more use.
        notes = _taken_back(stack, begun) if begun.returning else ()
    except EngardeError as fault:
        raise _stopped(fault) from None
    moved = replace(_told(stack, begun), notes=notes, seconds=time.monotonic() - start)
    if begun.returning:
        journal.forget(stack, begun.service)
    return moved


def _taken_back(stack: str, begun: Journal) -> tuple[str, ...]:
    """Takes away what the way out had made; what of it stays, a sentence each."""
    declared = read(FOLDER, stack)
    with step("taking back what was made"):
        return remove(move(declared, begun.service, begun.source, begun.target, begun.carried), begun)


def _stopped(fault: EngardeError) -> Unfinished:
    return Unfinished(
        f"{fault}\nIt was begun, and stopped here: the same command goes on; `bin/engarde split back` goes back"
    )


def _undo(stack: str, begun: Journal) -> Moved:
    """The old database was never written to: the service only has to be let in again."""
    way = move(read(FOLDER, stack), begun.service, begun.source, begun.target, begun.carried)
    role = way.service.role
    try:
        witness.dismiss(way.old, role)
        notes = _taken_back(stack, begun)
        with step("letting the service in again"):
            doors.let_in(way.old, role)
            doors.put_verifier(way.old, role, verifiers(stack)[on_server(f"{begun.service}-role", way.old)])
    except EngardeError as fault:
        raise _stopped(fault) from None
    journal.forget(stack, begun.service)
    return replace(_told(stack, begun, undone=True), notes=notes)


def _told(stack: str, begun: Journal, *, dry_run: bool = False, undone: bool = False) -> Moved:
    source, target = _names(stack, begun)
    if begun.returning or (dry_run and not undone):
        source, target = target, source
    return Moved(begun.service, source, target, dry_run, undone, begun.returning, begun.folder)


def _names(stack: str, begun: Journal) -> tuple[str, str]:
    return begun.source or read(FOLDER, stack).server.database, begun.target
