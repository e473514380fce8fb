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
    help="Of analytics and the admin: which of the stack's databases; the shared one by default.",
)


class Psql(click.Command):
    """A command whose other short options are psql's own, `-h` among them."""

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
    """A command whose last argument is another one, which begins after `--`."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Without `--`, options of the other would be taken for its own."""
        if not {"--", "-h", "--help"} & {*words} and not context.resilient_parsing:
            raise click.UsageError("the command stands after `--`: run SERVICE -- COMMAND...", context)
        return super().parse_args(context, words)


@command("run", outputs=(), cls=Run, short_help="Run a command with a service's DATABASE_URL.")
@click.argument("service", shell_complete=services)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run_command(stack: str, service: str, words: tuple[str, ...]) -> None:
    """Run a command with a service's DATABASE_URL, such as `alembic downgrade -1`, or a shell.

    It gets the URL in its environment, and what migrations get of the operator's (docs/migrate.md); nothing else. Exit
    codes: the command's own; before it starts, 2 usage, a fault in the stack file, or no such command, 3 Pulumi does
    not know the password.
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
    help="Who connects: the operator, or a service at the address that services use.",
)
@database_option
@click.argument("who", metavar="SERVICE|analytics|admin", shell_complete=logins)
def url_command(stack: str, where: str, database: str | None, who: str) -> str:
    """Print one connection URL, its password included, for scripts.

    Exit codes: 0 done, 2 usage or a fault in the stack file, 3 Pulumi does not know the password.
    """
    return access(read(FOLDER, stack), who, cast(From, where), database).url


@command("rotate", short_help="Give logins new passwords, prove them and deliver them.")
@click.option("--all", "every", is_flag=True, help="Every login of the stack, one at a time, up to the first failure.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--reapply", is_flag=True, help="Put the state's passwords in force again; make no new ones.")
@click.option(
    "--end-sessions", is_flag=True, help="First take the login away and end its sessions: for one that is compromised."
)
@click.option("--yes", is_flag=True, help="Do not ask before sessions are ended.")
@click.argument("names", nargs=-1, metavar="[SERVICE|analytics]...", shell_complete=receivers)
def rotate_command(
    stack: str, every: bool, dry_run: bool, reapply: bool, end_sessions: bool, yes: bool, names: tuple[str, ...]
) -> Report:
    """Give logins new passwords, prove them by logging in, and deliver their URLs.

    Killed at any point, the same command goes on where it was. Exit codes: 0 done, 2 usage, a fault in the stack file
    or a refusal, 3 could not connect and nothing was changed, 4 begun and not finished: run it again.
    """
    from engarde.rotate.delivery import deliverer
    from engarde.rotate.rotate_login import RotationOptions
    from engarde.rotate.run import put_back, rotate

    if every and names:
        raise click.UsageError("either names or --all")
    if not every and not names:
        raise click.UsageError("name a service or `analytics`, or say --all")
    if reapply and end_sessions:
        raise click.UsageError("either --reapply or --end-sessions")
    if reapply:
        return put_back(stack, names, dry_run=dry_run)
    options = RotationOptions(dry_run, end_sessions, asking(yes=yes))
    return rotate(stack, names, deliverer(read(FOLDER, stack)), options)
