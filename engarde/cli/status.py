"""The command that shows what every service takes of the server."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import click

from engarde.cli.options import command
from engarde.declaration.databases import database_of, restrict_to
from engarde.declaration.loader import read
from engarde.declaration.model import DatabaseStack, Stack
from engarde.errors import Unreachable
from engarde.pulumi_cli.process import FOLDER
from engarde.server.credentials import Access, from_variable, login_of_admin, of_services
from engarde.util.terminal import complain, is_screen, put, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from engarde.status.passed import Passed
    from engarde.status.report import Report

Looked = tuple["Report", tuple["Passed", ...]]


@command("status", outputs=("table", "json", "prometheus"))
@click.option("--service", help="Only this service, with all its details.")
@click.option("--watch", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Look again and again, until Ctrl-C.")
@click.option("--no-queries", is_flag=True, help="Without the texts of statements.")
@click.option(
    "--login", metavar="VARIABLE", help="The environment variable with the URL of who asks, in place of the admin."
)
def status_command(
    stack: str, service: str | None, output: str, watch: float | None, no_queries: bool, login: str | None
) -> None:
    """Show every service at a glance: size, connections, locks, slow statements, and what maintenance has left to do.

    Exit code 1 when a threshold of the stack file (`engarde:status`) is passed.
    """
    from engarde.status.look import look
    from engarde.status.passed import passed
    from engarde.status.report import report
    from engarde.status.subjects import chosen

    declared = read(FOLDER, stack)
    database = _of_service(declared, service)
    of = chosen(database, service)
    who = _who(database, login)

    def looked() -> Looked:
        logins = None if login else lambda: of_services(database)
        found = report(database, of, look(database, who, of, not no_queries, logins), not no_queries)
        return found, passed(database, found)

    if watch is not None:
        _watch(looked, output, watch)
        return
    found = looked()
    _print(found, output)
    sys.exit(1 if found[1] else 0)


def _of_service(declared: Stack, service: str | None) -> DatabaseStack:
    """The service's database, or the one that the others share."""
    own = {each.name: each for each in declared.services if each.database}
    if service is None and own:
        say(f"engarde: in databases of their own, for --service: {', '.join(sorted(own))}")
    return database_of(declared, own[service]) if service in own else restrict_to(declared, None)


def _who(database: DatabaseStack, variable: str | None) -> Access:
    if variable is None:
        return login_of_admin(database)
    return from_variable(variable, database.server.database)


def _print(found: Looked, output: str) -> None:
    if output == "json":
        from engarde.status.data import as_json

        put(as_json(*found))
    elif output == "prometheus":
        from engarde.status.prometheus import as_prometheus

        put(as_prometheus(*found).removesuffix("\n"))
    else:
        from engarde.output.show import console
        from engarde.status.show import as_text

        console().print(as_text(*found))


def _watch(looked: Callable[[], Looked], output: str, seconds: float) -> None:
    """Redraws on a terminal, elsewhere prints one look after another; a server that is gone is waited for."""
    shown = _redrawn(looked) if output == "table" and is_screen() else _printed(looked, output)
    try:
        for _ in shown:
            time.sleep(seconds)
    except KeyboardInterrupt:
        # It is how a watch ends.
        return


def _printed(looked: Callable[[], Looked], output: str) -> Iterator[None]:
    while True:
        try:
            _print(looked(), output)
        except Unreachable as lost:
            complain(lost)
        yield


def _redrawn(looked: Callable[[], Looked]) -> Iterator[None]:
    from rich.console import Group
    from rich.live import Live

    from engarde.output.show import Text, console
    from engarde.status.show import as_text

    last: RenderableType = Text()
    with Live(console=console(), screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            now = f"{datetime.now():%H:%M:%S}"
            try:
                last = as_text(*looked())
            except Unreachable as lost:
                live.update(Group(Text(f"{now} {lost}", style="bold red"), last), refresh=True)
            else:
                live.update(Group(Text(now, style="dim"), last), refresh=True)
            yield
