"""The command that runs services' migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from engarde.cli.completion import services
from engarde.cli.options import Commands, command
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import put, say

if TYPE_CHECKING:
    from engarde.migrate.report import Statuses, Upgraded


class OrServices(Commands):
    """A group in which a word that is no command is a service to migrate."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Puts `run` before words that name no command and do not ask for help."""
        known = not words or words[0] in (*self.commands, "-h", "--help")
        return super().parse_args(context, words if known else ["run", *words])

    def shell_complete(self, context: click.Context, begun: str) -> list[CompletionItem]:
        """Also the services, for `run` that is left out."""
        return [*super().shell_complete(context, begun), *services(context, self.commands["run"].params[0], begun)]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Also the options of `run`, because the word `run` may be left out."""
        run = self.commands["run"]
        with formatter.section("Options of `run` (the word may be left out)"):
            shown = (option.get_help_record(context) for option in run.params)
            formatter.write_dl([record for record in shown if record])
        super().format_options(context, formatter)


@click.group("migrate", cls=OrServices, short_help="Run services' own Alembic migrations, each as its role.")
def migrate_command() -> None:
    """Run each service's own Alembic migrations, as its role and in its schema: `migrate SERVICE...` or `--all`.

    `migrations` in the stack file says where they are.
    """


@command("run", group=migrate_command, short_help="Upgrade services to their heads; `run` may be left out.")
@click.option("--all", "every", is_flag=True, help="Migrate every service that has migrations.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="How many at a time.")
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL that would run; run nothing.")
@click.argument("names", nargs=-1, metavar="[SERVICE]...", shell_complete=services)
def run_command(stack: str, every: bool, jobs: int, only_sql: bool, names: tuple[str, ...]) -> Upgraded | None:
    """Upgrade these services to the head of their migrations; the word `run` may be left out.

    If one fails, the others still run. Exit codes: 0 done, 2 usage or a refusal, 3 could not connect or could not read
    the revision; nothing was changed, 4 at least one failed.
    """
    from engarde.migrate.projects import projects
    from engarde.migrate.run import sql, upgrade
    from engarde.util.quoting import printable
    from engarde.util.terminal import BREAKS

    if every == bool(names):
        raise click.UsageError("name services, or use --all")
    chosen = projects(read(FOLDER, stack), names)
    if only_sql:
        for project in chosen:
            put(f"-- {project.name}")
            put(printable("".join(sql(project)).removesuffix("\n"), keep=BREAKS))
        return None
    return upgrade(chosen, jobs, say)


@command("status", group=migrate_command, short_help="Show each service's revision, and what is pending.")
@click.argument("names", nargs=-1, metavar="[SERVICE]...", shell_complete=services)
def status_command(stack: str, names: tuple[str, ...]) -> Statuses:
    """Show each service's revision, the heads of its migrations, and what is pending.

    Exit codes: 0 nothing is pending, 1 something is pending, 2 a project cannot be read, 3 could not connect or could
    not read a revision.
    """
    from engarde.migrate.projects import projects, status

    return status(projects(read(FOLDER, stack), names))
