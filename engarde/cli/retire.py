"""The command that takes a service out of its stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import services
from engarde.cli.options import asking, command, pg_bin_option
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.retire.run import Retired


@command("retire", short_help="Back a service up, and take it out of the stack.")
@pg_bin_option
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the backup goes; a folder that is not there yet.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--yes-drop-data", is_flag=True, help="Do not ask before the schema is dropped.")
@click.option("--yes-without-backup", is_flag=True, help="Make no backup: what the schema holds is lost.")
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
    """Take a service that was stopped out of the stack: a backup, then its schema, its entry and its role.

    Killed at any point, the same command goes on. Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal,
    3 could not connect and nothing was changed, 4 begun and not finished: run it again.
    """
    from engarde.backup.backup import Options
    from engarde.retire.run import retire

    ask = asking(yes=yes_drop_data, flag="--yes-drop-data")
    options = Options(pg_bin=pg_bin, dry_run=dry_run)
    return retire(stack, service, to, options, ask, say, keep=not yes_without_backup)
