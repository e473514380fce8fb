"""The operator's command: binds arguments, prints, and exits.

Commands import their modules when they run, so that a script that only needs a URL waits half as long.
"""

import sys
import tomllib
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import click

from engarde.cli.alembic import alembic_command
from engarde.cli.backup import backup_command, restore_command
from engarde.cli.checks import doctor_command, explain_command, verify_command
from engarde.cli.logins import psql_command, rotate_command, run_command, url_command
from engarde.cli.migrate import migrate_command
from engarde.cli.options import Commands
from engarde.cli.railway import railway_command
from engarde.cli.retire import retire_command
from engarde.cli.split import split_command
from engarde.cli.status import status_command
from engarde.errors import INTERRUPTED, EngardeError
from engarde.server.libpq import forget_libpqs
from engarde.util.processes import interrupts, unforeseen
from engarde.util.terminal import begin_command, complain, exit_code, put, say


class Reporting(Commands):
    """A group whose commands end with the exit codes of docs/exit-codes.md, and whose errors are one message."""

    def main(self, *given: Any, **named: Any) -> NoReturn:
        """Runs a command, and ends with it."""
        begin_command()
        forget_libpqs()
        sys.exit(exit_code(self._ended(*given, **named)))

    def invoke(self, context: click.Context) -> object:
        """Runs the command, during which an interrupt is an exception."""
        try:
            with interrupts():
                return super().invoke(context)
        except KeyboardInterrupt:
            # Click would print an empty line for it.
            raise click.Abort from None
        except OSError as error:
            # Click takes every broken pipe for that of its own output, and ends with 1.
            sys.exit(unforeseen(error))

    def _ended(self, *given: Any, **named: Any) -> int:
        try:
            return super().main(*given, **{**named, "standalone_mode": False}) or 0
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0
        except EngardeError as error:
            complain(error)
            return error.exit_code
        except click.ClickException as error:
            # It repeats what was typed or pasted.
            shown = StringIO()
            error.show(shown)
            for line in shown.getvalue().rstrip("\n").split("\n"):
                say(line)
            return EngardeError.exit_code
        except click.Abort:
            # 1 would mean findings.
            complain("interrupted")
            return INTERRUPTED
        except Exception as error:
            return unforeseen(error)


def _tell_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    try:
        # Beside this code, because an installed package serves other projects.
        version = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]["version"]
    except FileNotFoundError:
        version = metadata.version("engarde")
    put(f"engarde {version}")
    context.exit()


@click.group(cls=Reporting, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version, help="Print the version."
)
def main() -> None:
    """Many services in one PostgreSQL, each in its own schema with its own role.

    Exit codes: 0 done, or as declared; 1 findings; 2 usage, bad stack file or a refusal; 3 could not connect; 4 begun
    and not finished, or failed; 70 internal error; 74 its output could not be written; 130 interrupted; 141 nobody
    reads its output any more.
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
    retire_command,
    psql_command,
    run_command,
    url_command,
)
for command in COMMANDS:
    main.add_command(command)
