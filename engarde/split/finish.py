"""The end of a move: what the service has left in its old database is dropped, once it is sure that it may be."""

from pathlib import Path

from engarde.backup.inspect import needed_by
from engarde.backup.manifest import whole
from engarde.backup.preflight import Held
from engarde.checks import journals
from engarde.checks.journals import Step
from engarde.declaration.databases import display_name, service_of
from engarde.declaration.loader import FOLDER, read
from engarde.errors import Refused
from engarde.pulumi_cli.logins import login_of_admin
from engarde.rotate import lockout
from engarde.rotate.stack_change import locked
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import session
from engarde.split import source_comparison
from engarde.split.move import Move, move
from engarde.split.report import Finished
from engarde.split.source_comparison import SHOWN
from engarde.util.quoting import quoted
from engarde.util.terminal import Say, indented, visible
from engarde.verify.run import Asked, verify


def finish(stack: str, name: str, say: Say, *, drop: bool, dry_run: bool) -> Finished:
    """Drops the schema that the service has left, with the large objects of its role.

    :raises Refused: it may not be dropped, or that was not said.
    :raises Unreachable: a server could not be asked; nothing was changed.
    :raises Unfinished: it was lost meanwhile: the same command goes on.
    """
    declared = read(FOLDER, stack)
    service_of(declared, name)
    with locked(stack, dry_run=dry_run):
        begun = journals.read_move(stack, name)
        if begun is None:
            raise Refused(f"{name} was not moved by `split run` on this machine, or `split finish` has ended it")
        if begun.returning or begun.step < Step.DONE:
            raise Refused(begun.told(stack))
        way = move(declared, name, *begun.way, begun.carried)
        if declared != way.after:
            raise Refused(f"Pulumi.{stack}.yaml does not say that {name} is in {begun.target}")
        folder, role = Path(begun.folder or ""), way.service.role
        wanted = whole(folder).inventory
        found = lockout.login_status(way.old, role)
        if found and found.open:
            raise Refused(
                f"{role} may enter database {display_name(way.old)}: `bin/engarde verify` names by what right"
            )
        # One that an earlier comparison had to leave would be a finding.
        source_comparison.dismiss(way.old, role)
        if findings := verify(way.after, Asked(), lambda _: None).findings:
            listed = indented(f"{finding.check}: {visible(finding.subject)}" for finding in findings[:SHOWN])
            raise Refused(f"`bin/engarde verify` has {len(findings)} findings; nothing was dropped:\n{listed}")
        with session(login_of_admin(way.old)) as asked:
            there = asked.values("backup_schema", schema=way.service.schema_)
        if there:
            say("comparing what was left with the copy")
            if changed := source_comparison.differences(way.old, role, wanted, say):
                raise Refused(
                    f"schema {wanted.schema} of {display_name(way.old)} is not as it was left; nothing was dropped:\n"
                    f"{indented(visible(str(difference)) for difference in changed[:SHOWN])}"
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
