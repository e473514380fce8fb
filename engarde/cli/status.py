"""The command that shows what every service takes of the server."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from engarde.cli.options import command
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import FOLDER, read
from engarde.errors import Unreachable
from engarde.pulumi_cli.logins import login_of_admin, of_services
from engarde.server.credentials import from_variable
from engarde.util.terminal import complain, is_screen, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from engarde.status.show import Status


@command("status", outputs=("table", "json", "prometheus"))
@click.option("--service", help="Only this service, with all its details.")
@click.option("--watch", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Look again and again, until Ctrl-C.")
@click.option("--no-queries", is_flag=True, help="Without the texts of statements.")
@click.option(
    "--login", metavar="VARIABLE", help="The environment variable with the URL of who asks, in place of the admin."
)
def status_command(
    stack: str, service: str | None, output: str, watch: float | None, no_queries: bool, login: str | None
) -> Status | None:
    """Show every service at a glance: size, connections, locks, slow statements, and what maintenance has left to do.

    Exit code 1 when a threshold of the stack file (`engarde:status`) is passed.
    """
    from engarde.status.show import status
    from engarde.status.subjects import chosen

    declared = read(FOLDER, stack)
    own = {known.name: known.database for known in declared.services if known.database}
    if service is None and own:
        say(f"engarde: in databases of their own, for --service: {', '.join(sorted(own))}")
    database = restrict_to(declared, own.get(service or ""))
    subjects = chosen(database, service)
    who = from_variable(login, database.server.database) if login else login_of_admin(database)

    def look() -> Status:
        return status(database, who, subjects, not no_queries, None if login else lambda: of_services(database))

    if watch is None:
        return look()
    # On a terminal it is drawn anew, elsewhere one look is printed after another; a server that is gone is waited for.
    shown = _redrawn(look) if output == "table" and is_screen() else _printed(look, output)
    # It is how a watch ends.
    with suppress(KeyboardInterrupt):
        for _ in shown:
            time.sleep(watch)
    return None


def _printed(look: Callable[[], Status], output: str) -> Iterator[None]:
    from engarde.output.show import print_result

    while True:
        try:
            print_result(look(), output)
        except Unreachable as lost:
            complain(lost)
        yield


def _redrawn(look: Callable[[], Status]) -> Iterator[None]:
    from rich.console import Group
    from rich.live import Live

    from engarde.output.show import Text, console

    last: RenderableType = Text()
    with Live(console=console(), screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            title = Text(f"{datetime.now():%H:%M:%S}", style="dim")
            try:
                last = look().text()
            except Unreachable as lost:
                title = Text(f"{title} {lost}", style="bold red")
            live.update(Group(title, last), refresh=True)
            yield
