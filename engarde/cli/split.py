"""The commands that move a service into a database of its own, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engarde.cli.completion import databases, services
from engarde.cli.options import Commands, asking, command, pg_bin_option
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.split.report import Finished, Moved, MovePlan

_to = click.option(
    "--to",
    shell_complete=databases,
    metavar="DATABASE",
    required=True,
    help="A database on the same server, there or not, or a key of engarde:databases.",
)


@click.group("split", cls=Commands)
def split_command() -> None:
    """Move a service into a database of its own, and back.

    Killed at any point, the same command goes on.
    """


@command("plan", group=split_command, short_help="Show what would move, and what stands in the way.")
@pg_bin_option
@_to
@click.argument("service", shell_complete=services)
def plan_command(stack: str, pg_bin: str | None, to: str, service: str) -> MovePlan:
    """Show what would move, what stands in the way, and what the stack file would say.

    Exit codes: 0 nothing stands in the way, 1 something does, 2 usage or a fault in the stack file, 3 could not
    connect.
    """
    from engarde.split.plan import plan

    return plan(read(FOLDER, stack), service, to, pg_bin, say)


_ENDS = (
    "Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect and nothing was changed,"
    " 4 begun and not finished: run it again."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before the service is shut out.")


@command("run", group=split_command, epilog=_ENDS)
@pg_bin_option
@_to
@_yes
@_dry_run
@click.argument("service", shell_complete=services)
def run_command(stack: str, pg_bin: str | None, to: str, yes: bool, dry_run: bool, service: str) -> Moved | MovePlan:
    """Move a service: copy, compare, and only then switch. What it had stays, closed, until `finish`."""
    from engarde.backup.backup import Options
    from engarde.split.run import run

    return run(stack, service, to, Options(pg_bin=pg_bin, dry_run=dry_run), asking(yes=yes), say)


@command("back", group=split_command, epilog=_ENDS, short_help="Undo a move that was begun, or move back.")
@pg_bin_option
@_yes
@_dry_run
@click.argument("service", shell_complete=services)
def back_command(stack: str, pg_bin: str | None, yes: bool, dry_run: bool, service: str) -> Moved:
    """Undo a move that was begun, or move the service back with all that it has written since."""
    from engarde.backup.backup import Options
    from engarde.split.run import back

    return back(stack, service, Options(pg_bin=pg_bin, dry_run=dry_run), asking(yes=yes), say)


@command("finish", group=split_command, epilog=_ENDS, short_help="Drop what the service has left in its old database.")
@click.option("--yes-drop-old", is_flag=True, help="Drop the schema that the service has left.")
@_dry_run
@click.argument("service", shell_complete=services)
def finish_command(stack: str, yes_drop_old: bool, dry_run: bool, service: str) -> Finished:
    """Drop what the service has left in its old database, once nothing there has changed since."""
    from engarde.split.run import finish

    return finish(stack, service, say, drop=yes_drop_old, dry_run=dry_run)
