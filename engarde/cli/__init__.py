"""The operator's command: binds arguments, prints, and exits.

What the checks need is imported where they run: a script that asks for a URL would wait twice as long.
"""

from __future__ import annotations

import sys
from io import StringIO

import click

from engarde.cli.alembic import alembic_command
from engarde.cli.backup import backup_command, restore_command
from engarde.cli.checks import doctor_command, explain_command, verify_command
from engarde.cli.logins import psql_command, url_command
from engarde.cli.migrate import migrate_command
from engarde.cli.railway import railway_command
from engarde.cli.rotate import rotate_command
from engarde.cli.split import split_command
from engarde.cli.status import status_command
from engarde.errors import EngardeError
from engarde.libpq import forget_libpqs
from engarde.terminal import complain, say
from toolchain.processes import interrupts


class Reporting(click.Group):
    """A group whose commands end an `EngardeError` as one message and its exit code."""

    def invoke(self, context: click.Context) -> object:
        """Runs the command."""
        forget_libpqs()
        try:
            with interrupts():
                return super().invoke(context)
        except EngardeError as error:
            complain(error)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            # What it repeats was typed, or pasted.
            shown = StringIO()
            error.show(shown)
            for line in shown.getvalue().rstrip("\n").split("\n"):
                say(line)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            # 1 would mean findings.
            complain("interrupted")
            sys.exit(130)


@click.group(cls=Reporting, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Many services in one PostgreSQL, each in its own schema with its own role.

    Exit codes: 0 done, or as declared; 1 findings; 2 usage, bad stack file or a refusal; 3 could not connect; 4 begun
    and not finished, or failed; 130 interrupted.
    """


COMMANDS = (
    verify_command,
    status_command,
    doctor_command,
    explain_command,
    migrate_command,
    alembic_command,
    railway_command,
    rotate_command,
    backup_command,
    restore_command,
    split_command,
    psql_command,
    url_command,
)
for command in COMMANDS:
    main.add_command(command)
