"""The end of a move: what the service has left in its old database is dropped, once it is sure that it may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engarde.backup import large_objects
from engarde.backup.inventory import Edge, Inventory
from engarde.backup.manifest import whole
from engarde.backup.refusing import Held
from engarde.backup.rows import Pinned, Schema, SidedEdge
from engarde.declaration.databases import display_name, service_of
from engarde.declaration.loader import read
from engarde.errors import Refused
from engarde.pulumi_cli.process import FOLDER
from engarde.rotate.alone import alone
from engarde.server.credentials import login_of_admin
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import session
from engarde.split import doors, journal, witness
from engarde.split.doors import acting
from engarde.split.journal import Step
from engarde.split.move import Move, move
from engarde.split.planning import Say, under_way
from engarde.util.quoting import quoted
from engarde.util.visible import visible
from engarde.verify.run import Asked, verify

SHOWN = 5
"""How many differences are told."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What was dropped, or would be."""

    service: str
    database: str
    schema: str
    holds: Held
    folder: str
    """the safety copy, which stays"""
    dry_run: bool


def finish(stack: str, name: str, say: Say, *, drop: bool, dry_run: bool) -> Finished:
    """Drops the schema that the service has left, with the large objects of its role.

    :raises Refused: it may not be dropped, or that was not said.
    :raises Unreachable: a server could not be asked; nothing was changed.
    :raises Unfinished: it was lost meanwhile: the same command goes on.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with alone(stack, dry_run=dry_run):
        begun = journal.read(stack, name)
        if begun is None:
            raise Refused(f"{name} was not moved by `split run` on this machine, or `split finish` has ended it")
        if begun.returning or begun.step < Step.DONE:
            raise Refused(under_way(declared, begun))
        way = move(declared, name, *begun.way, begun.carried)
        if declared != way.after:
            raise Refused(f"Pulumi.{stack}.yaml does not say that {name} is in {begun.target}")
        folder = Path(begun.folder or "")
        wanted = whole(folder).inventory
        _refuse_open(way)
        # One that an earlier comparison had to leave would be a finding.
        witness.dismiss(way.old, way.service.role)
        _refuse_findings(way)
        there = _there(way)
        if there:
            _refuse_changed(way, wanted, say)
        told = Finished(
            name,
            display_name(way.old),
            wanted.schema,
            Held(wanted.owned, len(wanted.large_objects)),
            str(folder),
            dry_run,
        )
        if not drop and not dry_run:
            raise Refused(
                f"would drop schema {told.schema} of database {told.database}: {told.holds}. --yes-drop-old does"
            )
        if not dry_run:
            # A kill may have come between the two.
            if there:
                _drop(way)
            journal.forget(stack, name)
        return replace(told, dry_run=dry_run)


def _refuse_open(way: Move) -> None:
    found = doors.door(way.old, way.service.role)
    if found and found.open:
        raise Refused(
            f"{way.service.role} may enter database {display_name(way.old)}: `bin/engarde verify` names by what right"
        )


def _refuse_findings(way: Move) -> None:
    if findings := verify(way.after, Asked(), lambda _: None).findings:
        listed = "\n".join(f"  {each.check}: {visible(each.subject)}" for each in findings[:SHOWN])
        raise Refused(f"`bin/engarde verify` has {len(findings)} findings; nothing was dropped:\n{listed}")


def _there(way: Move) -> bool:
    with session(login_of_admin(way.old)) as asked:
        return bool(asked.rows("backup_schema", Schema, schema=way.service.schema_))


def _refuse_changed(way: Move, wanted: Inventory, say: Say) -> None:
    say("comparing what was left with the copy")
    if changed := witness.differences(way.old, way.service.role, wanted, say):
        listed = "\n".join(f"  {visible(str(each))}" for each in changed[:SHOWN])
        raise Refused(
            f"schema {wanted.schema} of {display_name(way.old)} is not as it was left; nothing was dropped:\n{listed}"
        )


def _drop(way: Move) -> None:
    schema, role = way.service.schema_, way.service.role
    with session(login_of_admin(way.old), read_only=False) as asked:
        refuse_event_triggers(asked, way.old.server.user)
        asked.rows("backup_pinned", Pinned)
        edges = asked.rows("backup_edges", SidedEdge, schema=schema)
        if needing := [str(Edge(each.kind, each.name)) for each in edges if each.side == "needed by"]:
            raise Refused(f"this needs what is in it, and nothing was dropped: {', '.join(map(visible, needing))}")
        with acting(asked, role):
            large_objects.unlink(asked)
            asked.change(f"DROP SCHEMA {quoted(schema)} CASCADE")
        asked.commit()
