"""The options that commands share."""

from __future__ import annotations

import click

stack_option = click.option(
    "--stack",
    default="local",
    show_default=True,
    help="The stack; its file is Pulumi.<stack>.yaml.",
)

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)
