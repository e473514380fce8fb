"""The commands that move a service into a database of its own, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from engarde.cli.options import asking, command, pg_bin_option
from engarde.declaration.loader import read
from engarde.pulumi_cli.process import FOLDER
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.output.show import Shown
    from engarde.rotate import Deliverer

_to = click.option(
    "--to",
    metavar="DATABASE",
    required=True,
    help="A database on the same server, there or not, or a key of engarde:databases.",
)


@click.group("split")
def split_command() -> None:
    """Move a service into a database of its own, and back.

    Killed at any point, the same command goes on. Exit codes: 0 done, 2 usage, a fault in the stack file or a
    refusal, 3 could not connect and nothing was changed, 4 begun and not finished: run it again.
    """


@command("plan", group=split_command)
@pg_bin_option
@_to
@click.argument("service")
def plan_command(stack: str, pg_bin: str | None, to: str, service: str) -> Shown:
    """Show what would move, what stands in the way, and what the stack file would say.

    Exit code 1 when anything stands in the way.
    """
    from engarde.output.show import Shown
    from engarde.split import show
    from engarde.split.planning import plan

    found = plan(read(FOLDER, stack), service, to, pg_bin, say)
    return Shown(partial(show.planned, found), partial(show.planned_data, found), 1 if found.obstacles else 0)


_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before the service is shut out.")


def _deliverer(stack: str) -> Callable[[], Deliverer]:
    def made() -> Deliverer:
        from engarde.rotate import NOWHERE
        from engarde.rotate.railway import to_railway

        declared = read(FOLDER, stack)
        return to_railway(declared) if declared.railway else NOWHERE

    return made


@command("run", group=split_command)
@pg_bin_option
@_to
@_yes
@_dry_run
@click.argument("service")
def run_command(stack: str, pg_bin: str | None, to: str, yes: bool, dry_run: bool, service: str) -> Shown:
    """Move a service: copy, compare, and only then switch. What it had stays, closed, until `finish`."""
    from engarde.backup.making import How
    from engarde.output.show import Shown
    from engarde.split import show
    from engarde.split.moving import run
    from engarde.split.planning import Plan

    how = How(pg_bin=pg_bin, dry_run=dry_run)
    done = run(stack, service, to, how, _deliverer(stack), asking(yes=yes), say)
    if isinstance(done, Plan):
        return Shown(partial(show.planned, done), partial(show.planned_data, done), 1 if done.obstacles else 0)
    return Shown(partial(show.moved, done), partial(show.moved_data, done))


@command("back", group=split_command)
@pg_bin_option
@_yes
@_dry_run
@click.argument("service")
def back_command(stack: str, pg_bin: str | None, yes: bool, dry_run: bool, service: str) -> Shown:
    """Undo a move that was begun, or move the service back with all that it has written since."""
    from engarde.backup.making import How
    from engarde.output.show import Shown
    from engarde.split import show
    from engarde.split.moving import back

    how = How(pg_bin=pg_bin, dry_run=dry_run)
    done = back(stack, service, how, _deliverer(stack), asking(yes=yes), say)
    return Shown(partial(show.moved, done), partial(show.moved_data, done))


@command("finish", group=split_command)
@click.option("--yes-drop-old", is_flag=True, help="Drop the schema that the service has left.")
@_dry_run
@click.argument("service")
def finish_command(stack: str, yes_drop_old: bool, dry_run: bool, service: str) -> Shown:
    """Drop what the service has left in its old database, once nothing there has changed since."""
    from engarde.output.show import Shown
    from engarde.split import show
    from engarde.split.finishing import finish

    done = finish(stack, service, say, drop=yes_drop_old, dry_run=dry_run)
    return Shown(partial(show.finished, done), partial(show.finished_data, done))
