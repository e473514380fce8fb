"""The command that removes a service from its stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import services
from engarde.cli.options import asking, command, pg_bin_option
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.retire.run import Retired


@command("retire", short_help="Back up a service, and remove it from the stack.")
@pg_bin_option
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new folder for the backup. Default: in backups/STACK of the project.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("--yes-drop-data", is_flag=True, help="Do not ask before the schema is dropped.")
@click.option("--yes-without-backup", is_flag=True, help="Make no backup: the schema's data is lost.")
@click.argument("service", shell_complete=services)
def retire_command(
    stack: str,
    pg_bin: str | None,
    to: Path | None,
    dry_run: bool,
    yes_drop_data: bool,
    yes_without_backup: bool,
    service: str,
) -> Retired:
    """Remove a stopped service from the stack: make a backup, then remove its schema, its entry and its role.

    If it is killed at any point, run the same command to resume. Exit codes: 0 done, 2 usage, a fault in the stack file
    or a refusal, 3 could not connect and nothing was changed, 4 not finished: run it again to resume.
    """
    from engarde.backup.backup import Options
    from engarde.retire.run import retire

    ask = asking(yes=yes_drop_data, flag="--yes-drop-data")
    options = Options(pg_bin=pg_bin, dry_run=dry_run)
    return retire(stack, service, to, options, ask, say, keep=not yes_without_backup)
