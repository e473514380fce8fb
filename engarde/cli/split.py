"""The commands that move a service into a database of its own, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from engarde.cli.options import asking, output_option, pg_bin_option, stack_option
from engarde.engine import FOLDER
from engarde.stackfile import read
from engarde.terminal import put, say

if TYPE_CHECKING:
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


@split_command.command("plan")
@stack_option
@output_option
@pg_bin_option
@_to
@click.argument("service")
def plan_command(stack: str, output: str, pg_bin: str | None, to: str, service: str) -> None:
    """Show what would move, what stands in the way, and what the stack file would say.

    Exit code 1 when anything stands in the way.
    """
    from engarde.show import console
    from engarde.split import show
    from engarde.split.planning import plan

    found = plan(read(FOLDER, stack), service, to, pg_bin, say)
    if output == "json":
        put(show.planned_data(found))
    else:
        console().print(show.planned(found))
    sys.exit(1 if found.obstacles else 0)


_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before the service is shut out.")


def _deliverer(stack: str) -> Callable[[], Deliverer]:
    def made() -> Deliverer:
        from engarde.rotate import NOWHERE
        from engarde.rotate.railway import to_railway

        declared = read(FOLDER, stack)
        return to_railway(declared) if declared.railway else NOWHERE

    return made


@split_command.command("run")
@stack_option
@output_option
@pg_bin_option
@_to
@_yes
@_dry_run
@click.argument("service")
def run_command(stack: str, output: str, pg_bin: str | None, to: str, yes: bool, dry_run: bool, service: str) -> None:
    """Move a service: copy, compare, and only then switch. What it had stays, closed, until `finish`."""
    from engarde.backup.making import How
    from engarde.show import console
    from engarde.split import show
    from engarde.split.moving import run
    from engarde.split.planning import Plan

    how = How(pg_bin=pg_bin, dry_run=dry_run)
    done = run(stack, service, to, how, _deliverer(stack), asking(yes=yes), say)
    if isinstance(done, Plan):
        put(show.planned_data(done)) if output == "json" else console().print(show.planned(done))
        sys.exit(1 if done.obstacles else 0)
    put(show.moved_data(done)) if output == "json" else console().print(show.moved(done))


@split_command.command("back")
@stack_option
@output_option
@pg_bin_option
@_yes
@_dry_run
@click.argument("service")
def back_command(stack: str, output: str, pg_bin: str | None, yes: bool, dry_run: bool, service: str) -> None:
    """Undo a move that was begun, or move the service back with all that it has written since."""
    from engarde.backup.making import How
    from engarde.show import console
    from engarde.split import show
    from engarde.split.moving import back

    how = How(pg_bin=pg_bin, dry_run=dry_run)
    done = back(stack, service, how, _deliverer(stack), asking(yes=yes), say)
    put(show.moved_data(done)) if output == "json" else console().print(show.moved(done))


@split_command.command("finish")
@stack_option
@output_option
@click.option("--yes-drop-old", is_flag=True, help="Drop the schema that the service has left.")
@_dry_run
@click.argument("service")
def finish_command(stack: str, output: str, yes_drop_old: bool, dry_run: bool, service: str) -> None:
    """Drop what the service has left in its old database, once nothing there has changed since."""
    from engarde.show import console
    from engarde.split import show
    from engarde.split.finishing import finish

    done = finish(stack, service, say, drop=yes_drop_old, dry_run=dry_run)
    put(show.finished_data(done)) if output == "json" else console().print(show.finished(done))
