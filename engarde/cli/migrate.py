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
    """A group whose other words are services to migrate."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """`run` stands before whatever is no command and does not ask for help."""
        known = not words or words[0] in (*self.commands, "-h", "--help")
        return super().parse_args(context, words if known else ["run", *words])

    def shell_complete(self, context: click.Context, begun: str) -> list[CompletionItem]:
        """The services, too, of `run` that is left out."""
        return [*super().shell_complete(context, begun), *services(context, self.commands["run"].params[0], begun)]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of `run`, too, which need not be named."""
        run = self.commands["run"]
        with formatter.section("Options of `run`, which may be left out"):
            shown = (option.get_help_record(context) for option in run.params)
            formatter.write_dl([record for record in shown if record])
        super().format_options(context, formatter)


@click.group("migrate", cls=OrServices, short_help="Run services' own Alembic migrations, each as its role.")
def migrate_command() -> None:
    """Run each service's own Alembic migrations, in its schema and as its role: `migrate SERVICE...` or `--all`.

    Where they are says `migrations` in the stack file.
    """


@command("run", group=migrate_command, short_help="Upgrade services to their heads; `run` may be left out.")
@click.option("--all", "every", is_flag=True, help="Every service that has migrations.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="How many at a time.")
@click.option("--sql", "only_sql", is_flag=True, help="Print what would be run; run nothing.")
@click.argument("names", nargs=-1, metavar="[SERVICE]...", shell_complete=services)
def run_command(stack: str, every: bool, jobs: int, only_sql: bool, names: tuple[str, ...]) -> Upgraded | None:
    """Upgrade these services to the head of their migrations; the word `run` may be left out.

    One that fails does not stop the others. Exit codes: 0 done, 2 usage or a refusal, 3 could not connect or not read
    the revision, nothing was changed; 4 at least one failed.
    """
    from engarde.migrate.projects import projects
    from engarde.migrate.run import sql, upgrade
    from engarde.util.quoting import printable
    from engarde.util.terminal import BREAKS

    if every == bool(names):
        raise click.UsageError("either names of services or --all")
    chosen = projects(read(FOLDER, stack), names)
    if only_sql:
        for project in chosen:
            put(f"-- {project.name}")
            put(printable("".join(sql(project)).removesuffix("\n"), keep=BREAKS))
        return None
    return upgrade(chosen, jobs, say)


@command("status", group=migrate_command, short_help="Show where services are, and what is pending.")
@click.argument("names", nargs=-1, metavar="[SERVICE]...", shell_complete=services)
def status_command(stack: str, names: tuple[str, ...]) -> Statuses:
    """Show where each service is, where its migrations end, and what is pending.

    Exit codes: 0 nothing is pending, 1 something is, 2 a project cannot be read, 3 a revision cannot be read now.
    """
    from engarde.migrate.projects import projects, status

    return status(projects(read(FOLDER, stack), names))
