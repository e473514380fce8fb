"""The commands that log in as somebody: psql, url."""

import os
from typing import cast

import click

from engarde.cli.options import command
from engarde.declaration.loader import FOLDER, read
from engarde.pulumi_cli.logins import From, access
from engarde.server.libpq import psql

database_option = click.option(
    "--database",
    help="Of analytics and the admin: which of the stack's databases; the shared one by default.",
)


# psql's own short options pass through, `-h` among them.
@command("psql", outputs=(), context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@database_option
@click.argument("who", metavar="SERVICE|analytics|admin")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def psql_command(stack: str, database: str | None, who: str, arguments: tuple[str, ...]) -> None:
    """Open psql as a service, as analytics or as the admin; ARGS go to psql."""
    login = access(read(FOLDER, stack), who, database=database)
    psql(login.environment(os.environ), arguments)


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
@click.argument("who", metavar="SERVICE|analytics|admin")
def url_command(stack: str, where: str, database: str | None, who: str) -> str:
    """Print one connection URL, its password included, for scripts."""
    return access(read(FOLDER, stack), who, cast(From, where), database).url
