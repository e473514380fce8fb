"""All that the health checks look at, read once: the state, the server's catalogs, and who is on the server now."""

from __future__ import annotations

from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack, Table
from engarde.migrate.histories import Histories, histories
from engarde.preflight import admin_privileges, conflicts
from engarde.preflight.revocations import Outsider, outsiders
from engarde.pulumi_cli.resource_names import is_in
from engarde.pulumi_cli.stale_locks import Lock
from engarde.pulumi_cli.state import State
from engarde.server import catalog, version_tables
from engarde.server.catalog import Catalog
from engarde.server.catalog.rows import Existing, ServerSetting, VersionTable
from engarde.server.credentials import of_services
from engarde.server.session import Session

SETTINGS = (
    "lo_compat_privileges",
    "max_connections",
    "password_encryption",
    "reserved_connections",
    "ssl",
    "superuser_reserved_connections",
)


@dataclass(frozen=True, slots=True)
class Offered:
    """An extension that the server has on disk."""

    name: str
    installed: str | None
    """its version in this database"""
    offered: str
    """the version that one gets who asks for none"""
    versions: list[str]


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a stack and its server."""

    stack: DatabaseStack
    state: State
    locks: tuple[Lock, ...]
    pooled: bool
    """a pooler stands between the admin and the server"""
    settings: dict[str, ServerSetting]
    found: admin_privileges.AdminSnapshot
    catalog: Catalog
    existing: tuple[Existing, ...]
    """those of the roles and schemas of the stack file that are there"""
    others_sessions: int
    """of roles that are not the stack's, on the whole server"""
    outsiders: tuple[Outsider, ...]
    version_tables: tuple[VersionTable, ...]
    histories: Histories
    offered: dict[str, Offered]
    tables: frozenset[Table]
    """those that are there in the schemas in which the state has grants on single tables"""

    @property
    def admin_is_superuser(self) -> bool:
        """Whatever the stack file calls it."""
        return self.found.admin.superuser

    def acts_as(self, role: str) -> bool:
        """Whether the admin may do what the role may."""
        return self.admin_is_superuser or any(each.name == role and each.reachable for each in self.found.roles)


def look(stack: DatabaseStack, state: State, locks: tuple[Lock, ...], asked: Session) -> Seen:
    """Asks the server all that the checks need."""
    here = (each.granted for each in state.resources if is_in(each.name, stack))
    granted = {each.schema for each in here if each and each.tables}
    names = {"roles": conflicts.roles(stack), "schemas": sorted(service.schema_ for service in stack.services)}
    (others,) = asked.rows("others_sessions", _Count, roles=list(stack.roles))
    return Seen(
        stack=stack,
        state=state,
        locks=locks,
        pooled=asked.pooled,
        settings={each.name: each for each in asked.rows("server_settings", ServerSetting, names=list(SETTINGS))},
        found=admin_privileges.ask(stack, asked),
        catalog=catalog.read(stack, asked),
        existing=tuple(asked.rows("existing", Existing, **names)),
        others_sessions=others.count,
        outsiders=tuple(outsiders(stack, asked)),
        version_tables=version_tables.read(stack, asked, lambda: of_services(stack)),
        histories=histories(stack),
        offered={
            each.name: each for each in asked.rows("offered", Offered, names=[each.name for each in stack.extensions])
        },
        tables=asked.tables(sorted(filter(None, granted))),
    )
