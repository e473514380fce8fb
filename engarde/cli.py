"""The operator's command: binds arguments, prints, and exits."""

from __future__ import annotations

import sys
from typing import cast

import click

from engarde.access import ADMIN, From, access
from engarde.errors import EngardeError
from engarde.explain import explain
from engarde.explain import show as of_explanation
from engarde.psql import psql
from engarde.show import console, document
from engarde.stack import FOLDER
from engarde.stackfile import read

_stack = click.option(
    "--stack",
    default="local",
    show_default=True,
    help="The stack; its file is Pulumi.<stack>.yaml.",
)

_output = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)


class Reporting(click.Group):
    """A group whose commands end an `EngardeError` as one message and its exit code."""

    def invoke(self, context: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(context)
        except EngardeError as error:
            click.echo(f"engarde: {error}", err=True)
            sys.exit(error.exit_code)


@click.group(cls=Reporting, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Many services in one PostgreSQL, each in its own schema with its own role.

    Exit codes: 0 as declared, 1 findings, 2 usage, bad stack file or a refusal, 3 nothing could be learnt.
    """


# psql's own short options pass through, `-h` among them.
@main.command("psql", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@_stack
@click.argument("who", metavar="SERVICE|analytics|admin")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def psql_command(stack: str, who: str, arguments: tuple[str, ...]) -> None:
    """Open psql as a service, as analytics or as the admin; ARGS go to psql."""
    psql(access(read(FOLDER, stack), who), arguments)


@main.command("url")
@_stack
@click.option(
    "--from",
    "where",
    type=click.Choice(["operator", "service"]),
    default="operator",
    show_default=True,
    help="Who connects: the operator, or a service at the address that services use.",
)
@click.argument("who", metavar="SERVICE|analytics|admin")
def url_command(stack: str, where: str, who: str) -> None:
    """Print one connection URL, its password included, for scripts."""
    click.echo(access(read(FOLDER, stack), who, cast(From, where)).url)


@main.command("explain")
@_stack
@_output
@click.argument("who", metavar="ROLE")
@click.argument("what", metavar="OBJECT")
def explain_command(stack: str, output: str, who: str, what: str) -> None:
    """Print why a role can, or cannot, do what it can to an object.

    ROLE is a role of the server, a service's name, analytics, admin or PUBLIC. OBJECT is schema.table (or view,
    sequence), schema.function(argument types), a schema or a database; quotes guard a dot in a name.
    """
    declared = read(FOLDER, stack)
    found = explain(declared, access(declared, ADMIN), who, what)
    if output == "json":
        click.echo(document(**of_explanation.data(found)))
    else:
        console().print(of_explanation.table(found))
    sys.exit(0 if found.as_declared else 1)
