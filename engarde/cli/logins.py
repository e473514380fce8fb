"""The commands about logins: psql, run, url, rotate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import click

from engarde.cli.completion import databases, logins, receivers, services
from engarde.cli.options import asking, command
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.logins import From, access
from engarde.pulumi_cli.stacks import read
from engarde.server.libpq import psql

if TYPE_CHECKING:
    from engarde.rotate.report import Report

database_option = click.option(
    "--database",
    shell_complete=databases,
    help="For analytics and admin: the database to use. Default: the shared one.",
)


class Psql(click.Command):
    """A command that leaves psql's short options, `-h` among them, to psql."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """`-h` alone asks for help, and `-s` before psql's own arguments names the stack."""
        own = words.index("--") if "--" in words else len(words)
        named = ["--stack" if word == "-s" else word for word in words[:own]]
        return super().parse_args(context, ["--help"] if words == ["-h"] else [*named, *words[own:]])


@command(
    "psql",
    outputs=(),
    cls=Psql,
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    short_help="Open psql as a service, as analytics or as the admin.",
)
@database_option
@click.argument("who", metavar="SERVICE|analytics|admin", shell_complete=logins)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def psql_command(stack: str, database: str | None, who: str, arguments: tuple[str, ...]) -> None:
    """Open psql as a service, as analytics or as the admin; ARGS go to psql.

    Exit codes: psql's own; before it starts, 2 usage or a fault in the stack file, 3 no psql, or no password.
    """
    login = access(read(FOLDER, stack), who, database=database)
    psql(login.environment(os.environ), arguments)


class Run(click.Command):
    """A command whose last argument is another command, after `--`."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Requires `--`, since options of the other command would be taken for its own."""
        if not {"--", "-h", "--help"} & {*words} and not context.resilient_parsing:
            raise click.UsageError("put the command after `--`: run SERVICE -- COMMAND...", context)
        return super().parse_args(context, words)


@command("run", outputs=(), cls=Run, short_help="Run a command with a service's DATABASE_URL.")
@click.argument("service", shell_complete=services)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run_command(stack: str, service: str, words: tuple[str, ...]) -> None:
    """Run a command with a service's DATABASE_URL, such as `alembic downgrade -1`, or a shell.

    Its environment has the URL and the variables that migrations get (docs/migrate.md), nothing else. Exit codes: the
    command's own; before it starts, 2 usage, a fault in the stack file, or no such command, 3 Pulumi does not know the
    password.
    """
    from engarde.migrate.projects import run

    run(read(FOLDER, stack), service, words)


@command("url", outputs=())
@click.option(
    "--from",
    "where",
    type=click.Choice(["operator", "service"]),
    default="operator",
    show_default=True,
    help="Who connects: the operator, or a service, which may use another address.",
)
@database_option
@click.argument("who", metavar="SERVICE|analytics|admin", shell_complete=logins)
def url_command(stack: str, where: str, database: str | None, who: str) -> str:
    """Print one connection URL, its password included, for scripts.

    Exit codes: 0 done, 2 usage or a fault in the stack file, 3 Pulumi does not know the password.
    """
    return access(read(FOLDER, stack), who, cast(From, where), database).url


@command("rotate", short_help="Give logins new passwords, prove and deliver them.")
@click.option("--all", "every", is_flag=True, help="Every login of the stack, one at a time, up to the first failure.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("--reapply", is_flag=True, help="Set the state's passwords again, such as after a restore; no new ones.")
@click.option(
    "--end-sessions", is_flag=True, help="First lock the login out and end its sessions: if it is compromised."
)
@click.option("--yes", is_flag=True, help="Do not ask before sessions are ended.")
@click.argument("names", nargs=-1, metavar="[SERVICE|analytics]...", shell_complete=receivers)
def rotate_command(
    stack: str, every: bool, dry_run: bool, reapply: bool, end_sessions: bool, yes: bool, names: tuple[str, ...]
) -> Report:
    """Give logins new passwords, prove them by logging in, and deliver their URLs.

    If it is killed at any point, run the same command to resume. Exit codes: 0 done, 2 usage, a fault in the stack file
    or a refusal, 3 could not connect and nothing was changed, 4 not finished: run it again to resume.
    """
    from engarde.rotate.delivery import deliverer
    from engarde.rotate.rotate_login import RotationOptions
    from engarde.rotate.run import put_back, rotate

    if every and names:
        raise click.UsageError("give either names or --all")
    if not every and not names:
        raise click.UsageError("give services or `analytics`, or --all")
    if reapply and end_sessions:
        raise click.UsageError("give either --reapply or --end-sessions")
    if reapply:
        return put_back(stack, names, dry_run=dry_run)
    options = RotationOptions(dry_run, end_sessions, asking(yes=yes))
    return rotate(stack, names, deliverer(read(FOLDER, stack)), options)
