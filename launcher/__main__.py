"""The make targets' way into the launcher: `python -m launcher COMMAND`."""

import sys

import click

from engarde.util.terminal import begin_command
from launcher.errors import ToolchainError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Gets everything onto a machine that stack `local` needs."""
    begin_command()


@main.command()
def engine() -> None:
    """Gets an engine and its plugins; seconds when they are there."""
    from launcher.install import engine

    engine()


if __name__ == "__main__":
    try:
        main()
    except (ToolchainError, OSError) as fault:
        sys.exit(f"error: {fault}")
