"""The options that commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from engarde.errors import Refused
from engarde.terminal import say
from engarde.under_way import under_way


def _first_told(context: click.Context, option: click.Parameter, stack: str) -> str:
    """Says what is open in the stack, before whatever comes of it."""
    try:
        for each in under_way(stack, {}):
            say(f"engarde: {each}")
    except (Refused, OSError) as fault:
        say(f"engarde: {fault}")
    return stack


stack_option = click.option(
    "--stack",
    default="local",
    show_default=True,
    callback=_first_told,
    help="The stack; its file is Pulumi.<stack>.yaml.",
)

pg_bin_option = click.option(
    "--pg-bin", metavar="DIR", help="Where pg_dump and pg_restore are; also ENGARDE_PG_BIN. Otherwise they are found."
)

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)


def asking(*, yes: bool) -> Callable[[str], None]:
    """Tells the operator what is about to be done, and ends the command unless that is wanted."""

    def asked(notice: str) -> None:
        say(notice)
        if yes:
            return
        if not sys.stdin.isatty():
            raise Refused("nothing was changed: say --yes where nobody can be asked")
        if not click.confirm("Go on?", err=True):
            raise Refused("nothing was changed")

    return asked
