"""The commands that copy a service's data and bring it back."""

from __future__ import annotations

from pathlib import Path

import click

from engarde.cli.options import output_option, pg_bin_option, stack_option
from engarde.engine import FOLDER
from engarde.stackfile import read
from engarde.terminal import put, say


@click.command("backup")
@stack_option
@output_option
@pg_bin_option
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder that is not there yet. Default: backups/STACK/SERVICE/TIME in the project.",
)
@click.option(
    "--jobs", "-j", type=click.IntRange(min=1), help="Tables at a time. Default: 2, where the connection limit lets it."
)
@click.option("--dry-run", is_flag=True, help="Say where it would go; write nothing.")
@click.argument("service")
def backup_command(
    stack: str, output: str, pg_bin: str | None, to: Path | None, jobs: int | None, dry_run: bool, service: str
) -> None:
    """Copy a service's schema, with a manifest that proves it, into a new folder.

    Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect, 4 it could not be
    copied or written (nothing of it stays), or it is kept and could not be restored as things are.
    """
    from engarde.backup import show
    from engarde.backup.making import How, backup
    from engarde.errors import Unfinished
    from engarde.show import console

    made = backup(read(FOLDER, stack), service, to, How(jobs, pg_bin, dry_run), say)
    if output == "json":
        put(show.made_data(made))
    else:
        console().print(show.made(made))
    if made.proof.faults:
        what = f"{made.folder} is whole and kept, but could not be restored as things are:"
        raise Unfinished(show.unloadable(made.proof, what))


@click.command("restore")
@stack_option
@output_option
@pg_bin_option
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), metavar="DIR", required=True, help="A backup's folder."
)
@click.option("--yes-replace-data", is_flag=True, help="Replace what the schema holds, all of it.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check backup and server, load the definitions and take them back.",
)
@click.argument("service")
def restore_command(
    stack: str,
    output: str,
    pg_bin: str | None,
    folder: Path,
    yes_replace_data: bool,
    dry_run: bool,
    service: str,
) -> None:
    """Bring a service's schema back from a backup, in one transaction, and compare it with the manifest.

    Exit codes: 0 done, 2 usage, a fault in the stack file or a refusal, 3 could not connect and nothing was changed, 4
    it failed, or would, and what was there is there as it was.
    """
    from engarde.backup import show
    from engarde.backup.making import How
    from engarde.backup.restoring import restore
    from engarde.errors import Unfinished
    from engarde.show import console

    how = How(pg_bin=pg_bin, dry_run=dry_run)
    done = restore(read(FOLDER, stack), service, folder, how, say, replace=yes_replace_data)
    if output == "json":
        put(show.restored_data(done, dry_run=dry_run))
    elif not done.proof.faults:
        console().print(show.restored(done, dry_run=dry_run))
    if done.proof.faults:
        what = f"{done.folder} could not be restored as things are; nothing was changed:"
        raise Unfinished(show.unloadable(done.proof, what))
