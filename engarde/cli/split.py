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
    help="A database on the same server (created if it does not exist), or a key of engarde:databases.",
)


@click.group("split", cls=Commands)
def split_command() -> None:
    """Move a service into a database of its own, and back.

    If a command is killed at any point, run it again to resume.
    """


@command("plan", group=split_command, short_help="Show what would move, and what prevents it.")
@pg_bin_option
@_to
@click.argument("service", shell_complete=services)
def plan_command(stack: str, pg_bin: str | None, to: str, service: str) -> MovePlan:
    """Show what would move, what prevents it, and what would change in the stack file.

    Exit codes: 0 no obstacles, 1 obstacles, 2 usage or a fault in the stack file, 3 could not connect.
    """
    from engarde.split.plan import plan

    return plan(read(FOLDER, stack), service, to, pg_bin, say)


_ENDS = (
    "Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect; nothing was changed,"
    " 4 begun and not finished: run the command again to resume."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before the service is shut out.")


@command("run", group=split_command, epilog=_ENDS)
@pg_bin_option
@_to
@_yes
@_dry_run
@click.argument("service", shell_complete=services)
def run_command(stack: str, pg_bin: str | None, to: str, yes: bool, dry_run: bool, service: str) -> Moved | MovePlan:
    """Move a service: copy its data, compare, then switch. The old data stays, closed, until `finish` drops it."""
    from engarde.backup.backup import Options
    from engarde.split.run import run

    return run(stack, service, to, Options(pg_bin=pg_bin, dry_run=dry_run), asking(yes=yes), say)


@command("back", group=split_command, epilog=_ENDS, short_help="Undo an unfinished move, or move back.")
@pg_bin_option
@_yes
@_dry_run
@click.argument("service", shell_complete=services)
def back_command(stack: str, pg_bin: str | None, yes: bool, dry_run: bool, service: str) -> Moved:
    """Undo an unfinished move, or move the service back with all that it has written since."""
    from engarde.backup.backup import Options
    from engarde.split.run import back

    return back(stack, service, Options(pg_bin=pg_bin, dry_run=dry_run), asking(yes=yes), say)


@command("finish", group=split_command, epilog=_ENDS, short_help="Drop the service's old data after a move.")
@click.option("--yes-drop-old", is_flag=True, help="Drop the service's schema in its old database.")
@_dry_run
@click.argument("service", shell_complete=services)
def finish_command(stack: str, yes_drop_old: bool, dry_run: bool, service: str) -> Finished:
    """Drop the service's old data after a move, if it has not changed since."""
    from engarde.split.run import finish

    return finish(stack, service, say, drop=yes_drop_old, dry_run=dry_run)
