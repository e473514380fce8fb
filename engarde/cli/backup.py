"""The commands that copy a service's data and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import services
from engarde.cli.options import command, pg_bin_option
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.backup.report import Backups, Made, Restored


@command("backup", short_help="Copy a service's schema, with a manifest that proves it.")
@pg_bin_option
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder that is not there yet; with --all, where each gets one. Default: in backups/STACK of the project.",
)
@click.option(
    "--jobs", "-j", type=click.IntRange(min=1), help="Tables at a time. Default: 2, where the connection limit lets it."
)
@click.option("--dry-run", is_flag=True, help="Say where it would go; write nothing.")
@click.option("--all", "all_of_it", is_flag=True, help="Each service and each existing schema, one after another.")
@click.argument("service", metavar="[SERVICE|SCHEMA]", required=False, shell_complete=services)
def backup_command(
    stack: str,
    pg_bin: str | None,
    to: Path | None,
    jobs: int | None,
    dry_run: bool,
    all_of_it: bool,
    service: str | None,
) -> Made | Backups:
    """Copy a service's schema, with a manifest that proves it, into a new folder.

    Or an existing schema, such as `public`, as analytics reads it; such a copy is for pg_restore. Exit codes: 0 done, 2
    usage, a fault in the stack file or a refusal, 3 could not connect, 4 it could not be copied or written (nothing of
    it stays), or it is kept and could not be restored as things are; of --all some are made and others are not.
    """
    from engarde.backup.backup import Options, backup, every

    if all_of_it == bool(service):
        raise click.UsageError("either a service, an existing schema, or --all")
    declared, options = read(FOLDER, stack), Options(jobs, pg_bin, dry_run)
    return backup(declared, service, to, options, say) if service else every(declared, to, options, say)


@command("restore", short_help="Bring a service's schema back from a backup, or change nothing.")
@pg_bin_option
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), metavar="DIR", required=True, help="A backup's folder."
)
@click.option("--yes-replace-data", is_flag=True, help="Replace what the schema holds, all of it.")
@click.option("--dry-run", is_flag=True, help="Check backup and server, load the definitions and take them back.")
@click.argument("service", shell_complete=services)
def restore_command(
    stack: str, pg_bin: str | None, folder: Path, yes_replace_data: bool, dry_run: bool, service: str
) -> Restored:
    """Bring a service's schema back from a backup, in one transaction, and compare it with the manifest.

    Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect and nothing was changed, 4
    it failed, or would, and what was there is there as it was.
    """
    from engarde.backup.backup import Options
    from engarde.backup.restore import restore

    options = Options(pg_bin=pg_bin, dry_run=dry_run)
    return restore(read(FOLDER, stack), service, folder, options, say, replace=yes_replace_data)
