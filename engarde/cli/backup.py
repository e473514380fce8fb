"""The commands that back up a service's data and restore it."""

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


@command("backup", short_help="Back up a service's schema, with a manifest that proves it.")
@pg_bin_option
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new folder; with --all, the parent of a new one for each. Default: in backups/STACK of the project.",
)
@click.option(
    "--jobs", "-j", type=click.IntRange(min=1), help="Tables at a time. Default: 2 if the connection limit allows it."
)
@click.option("--dry-run", is_flag=True, help="Show where the backup would go; write nothing.")
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
    """Back up a service's schema into a new folder, with a manifest that proves it.

    An existing schema, such as `public`, is copied as analytics reads it; restore such a copy with pg_restore. Exit
    codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect, 4 the backup failed (nothing of
    it was kept), or it was kept but cannot be restored now; with --all, some were made and others failed.
    """
    from engarde.backup.backup import Options, backup, every

    if all_of_it == bool(service):
        raise click.UsageError("give a service, an existing schema, or --all")
    declared, options = read(FOLDER, stack), Options(jobs, pg_bin, dry_run)
    return backup(declared, service, to, options, say) if service else every(declared, to, options, say)


@command("restore", short_help="Restore a service's schema from a backup.")
@pg_bin_option
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), metavar="DIR", required=True, help="The backup's folder."
)
@click.option("--yes-replace-data", is_flag=True, help="Replace everything that the schema holds.")
@click.option("--dry-run", is_flag=True, help="Check backup and server, and test the definitions; change nothing.")
@click.argument("service", shell_complete=services)
def restore_command(
    stack: str, pg_bin: str | None, folder: Path, yes_replace_data: bool, dry_run: bool, service: str
) -> Restored:
    """Restore a service's schema from a backup in one transaction, and compare it with the manifest.

    Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect and nothing was changed, 4
    it failed, or would fail, and nothing was changed.
    """
    from engarde.backup.backup import Options
    from engarde.backup.restore import restore

    options = Options(pg_bin=pg_bin, dry_run=dry_run)
    return restore(read(FOLDER, stack), service, folder, options, say, replace=yes_replace_data)
