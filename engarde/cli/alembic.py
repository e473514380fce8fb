"""The commands about a service's own Alembic project."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import services
from engarde.cli.options import Commands, OnServices, command
from engarde.declaration.databases import service_of
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import put, say

if TYPE_CHECKING:
    from engarde.alembic.template import Driver
    from engarde.output.show import Findings

service_argument = click.argument("service", metavar="SERVICE", shell_complete=services)


@click.group("alembic", cls=Commands, short_help="Check or write a service's Alembic project.")
def alembic_command() -> None:
    """Look at a service's Alembic project: whether its migrations stay in its own schema."""


@command("check", cls=OnServices, group=alembic_command, short_help="Say what would reach into other schemas.")
@service_argument
@click.option("--run", is_flag=True, help="Run its env.py, too: the project's own code, but without a database.")
@click.option(
    "--no-stack", is_flag=True, is_eager=True, help="Check without a stack file what can be checked without one."
)
@click.option("--schema", help="With --no-stack: the service's schema; by default its name.")
@click.option("--role", help="With --no-stack: the service's role; by default its name with _user.")
@click.argument("path", metavar="PATH")
def check_command(
    stack: str | None, service: str, run: bool, no_stack: bool, schema: str | None, role: str | None, path: str
) -> Findings:
    """Say what in the Alembic project at PATH would not work, or would reach into other schemas.

    PATH is the folder with its alembic.ini or pyproject.toml. Without --run nothing of it is run, and what is computed
    is not judged. With --run its env.py is run with the service's own Alembic (`migrations.command` of the stack file)
    and the environment that migrations have; no migration is run, and every URL leads nowhere. With --no-stack, in a
    repository that has no stack file, what only that tells is listed as not checked. Exit codes: 0 nothing is wrong, 1
    something is or is not judged, 2 usage or a fault.
    """
    from engarde.alembic.check import NOT_CHECKED, check, undeclared
    from engarde.output.show import Findings

    if no_stack and stack is not None:
        raise click.UsageError("--stack and --no-stack exclude each other")
    if (schema or role) and not no_stack:
        raise click.UsageError("--schema and --role go with --no-stack; otherwise the stack file has them")
    declared = None if stack is None else read(FOLDER, stack)
    whose = service_of(declared, service) if declared else undeclared(service, schema, role)
    found = check(declared, whose, path, run=run)
    if no_stack:
        say("not checked without a stack file:")
        for kind, left_open in NOT_CHECKED.items():
            say(f"  {kind}: {left_open}")
    about = {"service": service, "notChecked": NOT_CHECKED if no_stack else {}}
    return Findings(found, f"nothing is wrong with the Alembic project of {service}", about)


@command(
    "init",
    outputs=(),
    cls=OnServices,
    group=alembic_command,
    short_help="Write an env.py that stays in the service's schema.",
)
@service_argument
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
    for change in planned:
        put(change.shown(path))
    for change in planned:
        for left in change.left:
            say(f"left out: {os.path.relpath(change.file, path)}, {left}")
    if not untried:
        try_out(planned, path, declared)
    if planned and not yes:
        say("nothing was written; --yes writes it")
        sys.exit(1)
    write(planned)
    for change in planned:
        kept = f"; the old one is {change.kept.name}" if change.kept else ""
        say(f"{change.file} written{kept}")
    if not planned:
        say(f"the env.py of {service} is up to date")
