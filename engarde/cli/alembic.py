"""The commands about a service's own Alembic project."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engarde.cli.options import command
from engarde.declaration.databases import service_of
from engarde.declaration.loader import read
from engarde.pulumi_cli.process import FOLDER
from engarde.util.terminal import put, say

if TYPE_CHECKING:
    from engarde.alembic.template import Driver
    from engarde.output.show import Findings

service_option = click.option("--service", required=True, help="Whose project it is.")


@click.group("alembic")
def alembic_command() -> None:
    """Look at a service's Alembic project: whether its migrations stay in its own schema."""


@command("check", group=alembic_command)
@service_option
@click.argument("path", metavar="PATH")
def check_command(stack: str, service: str, path: str) -> Findings:
    """Say what in the Alembic project at PATH would not work, or would reach into other schemas.

    PATH is the folder with its alembic.ini or pyproject.toml. Nothing of it is run.
    """
    from engarde.alembic.check import check
    from engarde.output.show import Findings

    declared = read(FOLDER, stack)
    found = check(declared, service_of(declared, service), path)
    return Findings(found, f"nothing is wrong with the Alembic project of {service}", {"service": service})


@command("init", outputs=(), group=alembic_command)
@service_option
@click.option(
    "--driver", type=click.Choice(["psycopg", "psycopg2", "asyncpg"]), help="By default that of the old env.py."
)
@click.option("--yes", is_flag=True, help="Write what is shown.")
@click.option("--untried", is_flag=True, help="Do not run the service's own Alembic on it first.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
def init_command(stack: str, service: str, driver: Driver | None, yes: bool, untried: bool, path: Path) -> None:
    """Write the env.py at PATH anew, so that the service's migrations stay in its own schema.

    Without --yes it only shows the difference. What takes the place of another env.py is tried first, with the
    service's own Alembic and without a database. What somebody wrote by hand is kept as env.py.orig. Where PATH has no
    Alembic project, one is made. Exit codes: 0 it is so now, 1 it would be changed, 2 usage or a fault.
    """
    from engarde.alembic.init import changes, try_out, write

    declared = service_of(read(FOLDER, stack), service)
    planned = changes(path, declared, driver)
    for each in planned:
        put(each.shown(path))
    for each in planned:
        for left in each.left:
            say(f"left out: {os.path.relpath(each.file, path)}, {left}")
    if not untried:
        try_out(planned, path, declared)
    if planned and not yes:
        say("nothing was written; --yes writes it")
        sys.exit(1)
    write(planned)
    for each in planned:
        kept = f"; the old one is {each.kept.name}" if each.kept else ""
        say(f"{each.file} written{kept}")
    if not planned:
        say(f"the env.py of {service} is up to date")
