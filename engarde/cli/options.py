"""The options that commands share."""

from __future__ import annotations

import click

stack_option = click.option(
    "--stack",
    default="local",
    show_default=True,
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
