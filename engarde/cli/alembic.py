"""The commands about a service's own Alembic project."""

from __future__ import annotations

import sys

import click

from engarde.cli.options import output_option, stack_option
from engarde.engine import FOLDER
from engarde.errors import ConfigError
from engarde.stackfile import read


@click.group("alembic")
def alembic_command() -> None:
    """Look at a service's Alembic project: whether its migrations stay in its own schema."""


@alembic_command.command("check")
@stack_option
@output_option
@click.option("--service", required=True, help="Whose project it is.")
@click.argument("path", metavar="PATH")
def check_command(stack: str, output: str, service: str, path: str) -> None:
    """Say what in the Alembic project at PATH would not work, or would reach into other schemas.

    PATH is the folder with its alembic.ini or pyproject.toml. Nothing of it is run.
    """
    from engarde.alembic.check import check
    from engarde.show import as_data, console, document, listed

    declared = read(FOLDER, stack)
    services = {each.name: each for each in declared.services}
    if service not in services:
        raise ConfigError(f"no service of stack {stack}: {service}; it has {', '.join(services)}")
    findings = check(declared, services[service], path)
    if output == "json":
        click.echo(document(service=service, findings=[as_data(each) for each in findings]))
    elif findings:
        console().print(listed(findings))
    else:
        click.echo(f"nothing is wrong with the Alembic project of {service}")
    sys.exit(1 if findings else 0)
