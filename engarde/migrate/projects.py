"""The services that have migrations: their logins, where each is in its history, and which may start at base."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from engarde.alembic.programs import environment
from engarde.alembic.project import project
from engarde.alembic.scripts import Graph, graph
from engarde.declaration.address import Migrations
from engarde.declaration.databases import database_of, service_of, services_of
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import DatabaseStack, Service, Stack
from engarde.declaration.names import VERSION_TABLE
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, EngardeError, NotAnswered, Refused, Unreachable
from engarde.migrate.report import Status, Statuses
from engarde.pulumi_cli.logins import access, accesses, login_of_admin, of_services
from engarde.pulumi_cli.state import outputs
from engarde.server import version_tables
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.libpq import given_environment
from engarde.server.session import session
from engarde.server.version_tables import Histories
from engarde.util.processes import become
from engarde.util.quoting import quoted, word

_UNREADABLE = {
    "42501": "the service's role may not read it, or row security applies to it",
    "55P03": "another session has locked it",
    "57014": "it did not answer within 10 seconds",
}
"""Why a version table could not be read, by SQLSTATE."""


def histories(stack: DatabaseStack) -> Histories:
    """The histories of the services in the stack's database, as far as they can be read."""
    found = {}
    for service in stack.services:
        if service.migrations:
            with suppress(ConfigError):
                revisions = _history(service.migrations).revisions
                found[service.name] = {id_: revision.file for id_, revision in revisions.items()}
    return Histories(stack, found)


def _history(declared: Migrations) -> Graph:
    return graph(project(FOLDER / declared.path, declared.command))


class OtherVersionTable(Refused):
    """A service's revisions are in a version table that is not its own."""


@dataclass(frozen=True)
class Database:
    """The version tables of one database; they are read once, for the first service that would start at base."""

    stack: DatabaseStack
    admin: Access = field(repr=False)
    logins: Mapping[str, Access] = field(repr=False)
    """role -> login, for the services whose passwords are known"""

    def refuse_base(self, service: Service) -> None:
        """Refuses a service that has no revision in its own version table and did not start at base.

        :raises OtherVersionTable: a table outside of its schema holds its revisions.
        :raises Unreachable: a table that it may have used cannot be read now.
        """
        has_own = any(table.schema == service.schema_ for table in self._tables)
        # A table in another service's schema counts only if this service may write there.
        others = [
            table
            for table in self._tables
            if table.schema != service.schema_ and (not self._histories.home(table) or service.role in table.writers)
        ]
        for table in others:
            if table.revisions and self._histories.uses(service, table, has_own):
                evidence = self._histories.evidence(service, table) or f"{table.owner} owns it"
                sure = self._histories.proven(service, table) or table.owner == service.role
                raise OtherVersionTable(
                    f"{table.identity} holds {', '.join(table.revisions)}: {evidence}. From base, {service.name} would"
                    " create its tables again, beside the existing ones. Nothing was changed. `bin/engarde doctor"
                    f" --stack {self.stack.name}` says how to give it a version table of its own"
                    f"{'' if sure else self._way_out(service)}"
                )
        for table in others:
            # An empty table of its own means that the service was told to start at base.
            used = table.trusted or table.owner == service.role or (service.role in table.writers and not has_own)
            if used and table.revisions is None:
                raise Unreachable(
                    f"{table.identity} cannot be read now: {table.unread}. It may hold revisions of {service.name},"
                    f" whose own version table has none. Nothing was changed{'' if has_own else self._way_out(service)}"
                )

    def _way_out(self, service: Service) -> str:
        made = f"CREATE TABLE {quoted(service.schema_, VERSION_TABLE)} (version_num varchar(32) PRIMARY KEY)"
        command = ("bin/engarde", "psql", service.name, "--stack", self.stack.name, "-c", made)
        create = " ".join(map(word, command))
        return f". If {service.name} has no tables yet, create an empty version table for it: `{create}`"

    @cached_property
    def _histories(self) -> Histories:
        return histories(self.stack)

    @cached_property
    def _tables(self) -> tuple[VersionTable, ...]:
        with session(self.admin) as asked:
            return version_tables.read(self.stack, asked, lambda: self.logins)


@dataclass(frozen=True, slots=True)
class Project:
    """One service's Alembic project, and the logins to run and to watch it, at the operator's address."""

    service: Service
    declared: Migrations
    access: Access = field(repr=False)
    database: Database
    """the database in which it runs, with the admin's login"""

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def folder(self) -> Path:
        """Where its alembic.ini is."""
        return FOLDER / self.declared.path

    def history(self) -> Graph:
        """Its migration scripts, read without running them.

        :raises ConfigError: they cannot be read.
        """
        return _history(self.declared)

    @property
    def target(self) -> str:
        """What its Alembic upgrades to: `head`, or `heads` if its heads are those of separate labelled branches."""
        try:
            return self.history().target
        except ConfigError:
            # If there are several heads, Alembic refuses this itself.
            return "head"


def projects(stack: Stack, names: Sequence[str]) -> list[Project]:
    """The projects of these services; without a name, of all services that have migrations.

    :raises ConfigError: the stack has no service of a name, or the stack file gives it no migrations.
    :raises Unreachable: Pulumi does not know a password.
    """
    chosen = services_of(stack, names) or [service for service in stack.services if service.migrations]
    if without := [service.name for service in chosen if not service.migrations]:
        raise ConfigError(
            f"{file_name(stack.name)} does not say where the migrations of {', '.join(without)} are: add"
            " `migrations: {path: ...}` to the service (docs/migrate.md)"
        )
    if not chosen:
        raise ConfigError(
            f"no service in {file_name(stack.name)} has `migrations`: add `migrations: {{path: ...}}` (docs/migrate.md)"
        )
    # Before any code of a service runs: it could read the passphrase from the environment of Pulumi.
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


def run(stack: Stack, name: str, command: Sequence[str]) -> NoReturn:
    """Becomes the command, in the environment of the service's migrations, without the limits of their sessions.

    :raises Refused: the command cannot be run.
    :raises Unreachable: Pulumi does not know the service's password.
    """
    service = service_of(stack, name)
    declared = service.migrations or Migrations(path=".")
    login = replace(access(stack, name), form=declared.url_format or service.url_format)
    given = environment(given_environment(), declared.environment) | {declared.variable: login.url}
    try:
        become(command[0], command[1:], given)
    except OSError as error:
        raise Refused(f"cannot run {command[0]}: {error.strerror}") from None


def starting_point(project: Project) -> tuple[str, ...]:
    """The revisions from which an upgrade starts; empty if it starts at base.

    :raises OtherVersionTable: the service's revisions are in a table that is not its own.
    :raises Refused: the address is a pooler's.
    :raises Unreachable: the service could not log in, or its version table cannot be read now.
    """
    found = revisions(project)
    if not found:
        project.database.refuse_base(project.service)
    return found


def revisions(project: Project) -> tuple[str, ...]:
    """The revisions in the service's own version table; empty if it has no such table yet.

    :raises Refused: the address is a pooler's.
    :raises Unreachable: the service could not log in, or the table cannot be read now.
    """
    with session(project.access) as asked:
        if asked.pooled:
            raise Refused(
                f"{project.access.where} is the address of a pooler. Migrations need the server's own address, because"
                " a pooler does not keep locks and settings for a whole session"
            )
        [there] = asked.values("version_table", schema=project.service.schema_)
        if not there:
            return ()
        try:
            rows = asked.try_query("version_table_revisions", dict, put={"schema": project.service.schema_})
        except NotAnswered as refusal:
            table = quoted(project.service.schema_, VERSION_TABLE)
            why = _UNREADABLE.get(str(refusal), "reading it fails")
            raise Unreachable(f"{table} cannot be read now: {why} (SQLSTATE {refusal}). Nothing was changed") from None
    return tuple(sorted({row["revision"] for row in rows}))


def status(projects: Sequence[Project]) -> Statuses:
    """The status of each service; one that cannot be read does not stop the others."""
    return Statuses([*map(_status, projects)])


def _status(of: Project) -> Status:
    try:
        history = of.history()
        now = starting_point(of)
    except OtherVersionTable as found:
        return Status(of.name, "elsewhere", (), history.heads, said=str(found))
    except EngardeError as error:
        return Status(of.name, "not known", said=str(error), exit_code=error.exit_code)
    if strange := [revision for revision in now if revision not in history.revisions]:
        said = (
            f"its version files have no revision {', '.join(strange)}: newer code has applied it, or it belongs to"
            " another service"
        )
        return Status(of.name, "unknown revision", now, history.heads, said=said)
    if pending := history.pending(now):
        return Status(of.name, "pending", now, history.heads, pending)
    return Status(of.name, "up to date", now, history.heads, exit_code=0)
