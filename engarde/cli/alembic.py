"""The commands for a service's own Alembic project."""

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
    """Check a service's Alembic project, or write its env.py, so that migrations stay in the service's schema."""


@command("check", cls=OnServices, group=alembic_command, short_help="Find what would reach into other schemas.")
@service_argument
@click.option("--run", is_flag=True, help="Also run its env.py (the project's own code), without a database.")
@click.option("--no-stack", is_flag=True, is_eager=True, help="Check what can be checked without a stack file.")
@click.option("--schema", help="With --no-stack: the service's schema; by default its name.")
@click.option("--role", help="With --no-stack: the service's role; by default its name with the suffix _user.")
@click.argument("path", metavar="PATH")
def check_command(
    stack: str | None, service: str, run: bool, no_stack: bool, schema: str | None, role: str | None, path: str
) -> Findings:
    """Find what in the Alembic project at PATH would not work, or would reach into other schemas.

    PATH is the folder with its alembic.ini or pyproject.toml. Without --run, no code of the project runs, and computed
    values are not judged. With --run, the service's own Alembic (`migrations.command` of the stack file) runs env.py
    in the environment of migrations; no migration runs, and every URL leads nowhere. With --no-stack, for a repository
    without a stack file, the output lists what was not checked. Exit codes: 0 no findings, 1 findings, or something
    is not judged, 2 usage or a fault.
    """
    from engarde.alembic.check import NOT_CHECKED, check, undeclared
    from engarde.output.show import Findings

    if no_stack and stack is not None:
        raise click.UsageError("--stack and --no-stack exclude each other")
    if (schema or role) and not no_stack:
        raise click.UsageError("--schema and --role need --no-stack; otherwise the stack file states them")
    declared = None if stack is None else read(FOLDER, stack)
    whose = service_of(declared, service) if declared else undeclared(service, schema, role)
    found = check(declared, whose, path, run=run)
    if no_stack:
        say("not checked without a stack file:")
        for kind, question in NOT_CHECKED.items():
            say(f"  {kind}: {question}")
    about = {"service": service, "notChecked": NOT_CHECKED if no_stack else {}}
    return Findings(found, f"no findings in the Alembic project of {service}", about)


@command(
    "init",
    outputs=(),
    cls=OnServices,
    group=alembic_command,
    short_help="Write an env.py that stays in the service's schema.",
)
@service_argument
@click.option(
    "--driver", type=click.Choice(["psycopg", "psycopg2", "asyncpg"]), help="By default the driver of the old env.py."
)
@click.option("--yes", is_flag=True, help="Write the files that are shown.")
@click.option("--untried", is_flag=True, help="Do not try the new env.py with the service's own Alembic first.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
def init_command(stack: str, service: str, driver: Driver | None, yes: bool, untried: bool, path: Path) -> None:
    """Write a new env.py at PATH that keeps the service's migrations in its own schema.

    Without --yes, only show the difference. A file that replaces another env.py is first tried with the service's own
    Alembic, without a database. An env.py that somebody wrote or changed is kept as env.py.orig. If PATH has no
    Alembic project, a new project is written. Exit codes: 0 up to date, 1 would be changed, 2 usage or a fault.
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
        say("nothing was written; add --yes to write this")
        sys.exit(1)
    write(planned)
    for change in planned:
        kept = f"; the old file is now {change.kept.name}" if change.kept else ""
        say(f"wrote {change.file}{kept}")
    if not planned:
        say(f"the env.py of {service} is up to date")
