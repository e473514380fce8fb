"""The command that shows how much of the server each service uses."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from engarde.cli.completion import services
from engarde.cli.options import OnServices, command
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import FOLDER
from engarde.errors import Unreachable
from engarde.pulumi_cli.logins import login_of_admin, of_services
from engarde.pulumi_cli.stacks import read
from engarde.server.credentials import from_variable
from engarde.util.terminal import complain, is_screen, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from engarde.status.show import Status


@command(
    "status",
    outputs=("table", "json", "prometheus"),
    cls=OnServices,
    short_help="Show size, sessions and statements of each service.",
)
@click.option("--watch", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Repeat it, until Ctrl-C.")
@click.option("--no-queries", is_flag=True, help="Leave out the texts of statements.")
@click.option(
    "--login", metavar="VARIABLE", help="Connect with the URL in this environment variable, not as the admin."
)
@click.argument("service", required=False, shell_complete=services)
def status_command(
    stack: str, service: str | None, output: str, watch: float | None, no_queries: bool, login: str | None
) -> Status:
    """Show for each service its size, connections, locks, slow statements, and what maintenance has to do.

    With SERVICE, show only that one, with all details. Exit codes: 0 all thresholds of the stack file
    (`engarde:status`) OK, 1 at least one exceeded, 2 usage or a fault in the stack file, 3 could not connect. --watch
    ends with the code of its last output.
    """
    from engarde.status.show import status
    from engarde.status.subjects import chosen

    declared = read(FOLDER, stack)
    own = {known.name: known.database for known in declared.services if known.database}
    if service is None and own:
        say(f"engarde: not shown, as they have databases of their own (`status SERVICE`): {', '.join(sorted(own))}")
    database = restrict_to(declared, own.get(service or ""))
    subjects = chosen(database, service)
    who = from_variable(login, database.server.database) if login else login_of_admin(database)

    def look() -> Status:
        return status(database, who, subjects, not no_queries, None if login else lambda: of_services(database))

    if watch is None:
        return look()
    # A terminal is redrawn; elsewhere each output follows the last one. A server that is down is waited for.
    shown = _redrawn(look) if output == "table" and is_screen() else _printed(look, output)
    code = 0
    # Ctrl-C is how a watch ends.
    with suppress(KeyboardInterrupt):
        for code in shown:  # noqa: B007 - the last one counts
            time.sleep(watch)
    sys.exit(code)


def _printed(look: Callable[[], Status], output: str) -> Iterator[int]:
    """The exit code of each look."""
    from engarde.output.show import print_result

    while True:
        code = Unreachable.exit_code
        try:
            code = print_result(look(), output)
        except Unreachable as lost:
            complain(lost)
        yield code


def _redrawn(look: Callable[[], Status]) -> Iterator[int]:
    """The exit code of each look."""
    from rich.console import Group
    from rich.live import Live

    from engarde.output.layout import Text
    from engarde.output.show import console

    last: RenderableType = Text()
    with Live(console=console(), screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            title = Text(f"{datetime.now():%H:%M:%S}", style="dim")
            try:
                found = look()
                last, code = found.text(), found.exit_code
            except Unreachable as lost:
                title, code = Text(f"{title} {lost}", style="bold red"), lost.exit_code
            live.update(Group(title, last), refresh=True)
            yield code
