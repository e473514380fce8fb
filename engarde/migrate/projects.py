"""The services that have migrations, who they log in as, and where each is in its history."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engarde.alembic.scripts import Graph, graph, project
from engarde.declaration.address import Migrations
from engarde.declaration.databases import database_of, services_of
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Service, Stack
from engarde.declaration.names import VERSION_TABLE
from engarde.errors import ConfigError, EngardeError, NotAnswered, Refused, Unreachable
from engarde.migrate.histories import Database, OtherVersionTable
from engarde.migrate.report import Status, Statuses
from engarde.pulumi_cli.logins import accesses, login_of_admin, of_services
from engarde.pulumi_cli.state import outputs
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.quoting import quoted

_UNREADABLE = {
    "42501": "the service's role may not read it, or row security applies to it",
    "55P03": "another session has locked it",
    "57014": "it did not answer within 10 seconds",
}
"""Why a version table is not read, by SQLSTATE."""


@dataclass(frozen=True, slots=True)
class Project:
    """One service's Alembic project, and the logins that it is run and watched with, at the operator's address."""

    service: Service
    declared: Migrations
    access: Access = field(repr=False)
    database: Database
    """that it is run in, with the admin's login"""

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def folder(self) -> Path:
        """Where its alembic.ini is."""
        return FOLDER / self.declared.path

    def history(self) -> Graph:
        """Its migration scripts, read without being run.

        :raises ConfigError: they cannot be.
        """
        return graph(project(self.folder, self.declared.command))

    @property
    def target(self) -> str:
        """What its Alembic is told to upgrade to: `head`, or `heads` of labelled branches that stand by themselves."""
        try:
            return self.history().target
        except ConfigError:
            # What nobody can read Alembic refuses, where it is several.
            return "head"


def projects(stack: Stack, names: Sequence[str]) -> list[Project]:
    """Those of these services, or of all that have migrations without a name.

    :raises ConfigError: a name is not in the stack, or the stack file gives it no migrations.
    :raises Unreachable: the engine does not know a password.
    """
    chosen = services_of(stack, names) or [service for service in stack.services if service.migrations]
    if without := [service.name for service in chosen if not service.migrations]:
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml does not say where the migrations of {', '.join(without)} are"
            " (`migrations: {path: ...}`, docs/migrate.md)"
        )
    if not chosen:
        raise ConfigError(f"no service in Pulumi.{stack.name}.yaml has `migrations` (docs/migrate.md)")
    # No later: Pulumi has the passphrase in its environment, where a service's code that runs could read it.
    known = outputs(stack.name)
    stacks = {service.database: database_of(stack, service) for service in chosen}
    databases = {
        label: Database(found, login_of_admin(found), of_services(found, known)) for label, found in stacks.items()
    }
    return [
        Project(
            service,
            service.migrations,
            replace(login, form=service.migrations.url_format or service.url_format),
            databases[service.database],
        )
        for service, login in zip(chosen, accesses(stack, chosen, known), strict=True)
        if service.migrations
    ]


def starting_point(project: Project) -> tuple[str, ...]:
    """The revisions from which the service goes on; none where it begins at base.

    :raises OtherVersionTable: its revisions are in another table than its own.
    :raises Refused: there is no way from here that migrations can go.
    :raises Unreachable: the service was not let in, or where it is cannot be read now: then nobody knows.
    """
    found = revisions(project)
    if not found:
        project.database.refuse_base(project.service)
    return found


def revisions(project: Project) -> tuple[str, ...]:
    """Those in the service's own version table; none where there is no such table yet.

    :raises Refused: there is no way from here that migrations can go.
    :raises Unreachable: the service was not let in, or the table cannot be read now: then nobody knows.
    """
    with session(project.access) as asked:
        if asked.pooled:
            raise Refused(
                f"{project.access.where} is a pooler's address: migrations need the server's own, for locks and"
                " settings that last as long as their session"
            )
        [there] = asked.values("version_table", schema=project.service.schema_)
        if not there:
            return ()
        try:
            rows = asked.try_query("version_table_revisions", dict, put={"schema": project.service.schema_})
        except NotAnswered as refusal:
            table = quoted(project.service.schema_, VERSION_TABLE)
            why = _UNREADABLE.get(str(refusal), "reading it fails")
            raise Unreachable(f"{table} cannot be read now: {why} (SQLSTATE {refusal}); nothing was changed") from None
    return tuple(sorted({row["revision"] for row in rows}))


def status(projects: Sequence[Project]) -> Statuses:
    """Every service by itself: one that cannot be looked at does not keep the others from it."""
    return Statuses([*map(_status, projects)])


def _status(of: Project) -> Status:
    try:
        history = of.history()
        now = starting_point(of)
    except OtherVersionTable as found:
        return Status(of.name, "elsewhere", (), history.heads, said=str(found))
    except EngardeError as error:
        return Status(of.name, "not known", said=str(error), exit_code=error.exit_code)
    if strange := [revision for revision in now if not history.knows(revision)]:
        said = f"its versions have no {', '.join(strange)}: applied from newer code, or another service's"
        return Status(of.name, "unknown revision", now, history.heads, said=said)
    if pending := history.pending(now):
        return Status(of.name, "pending", now, history.heads, pending)
    return Status(of.name, "up to date", now, history.heads, exit_code=0)
