"""What the checks read: catalogs, state and sessions, each read once and only when a check needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.foreseen import foreseen
from engarde.declaration.model import DatabaseStack
from engarde.errors import Unreachable
from engarde.output.findings import Finding, Notice
from engarde.preflight import admin_privileges as rights
from engarde.pulumi_cli import stale_locks
from engarde.pulumi_cli.logins import of_services
from engarde.pulumi_cli.state import Outputs, State, backend, outputs, state
from engarde.server import catalog, functions, version_tables
from engarde.server.catalog import Catalog, ServerSetting, StoredPassword, VersionTable
from engarde.server.functions import EventTrigger
from engarde.server.session import Session
from engarde.server.version_tables import Histories, ReadHistories

Value = TypeVar("Value")


class Once(Generic[Value]):
    """A property that is computed once; an `Unreachable` is remembered like a value."""

    def __init__(self, ask: Callable[[Any], Value]) -> None:
        self.ask = ask
        self.__doc__ = ask.__doc__

    def __get__(self, instance: object, owner: type) -> Value:
        kept, name = instance.__dict__, f"{self.ask.__name__} once"
        if name not in kept:
            try:
                kept[name] = self.ask(instance)
            except Unreachable as error:
                kept[name] = error
        if isinstance(answer := kept[name], Unreachable):
            raise answer
        value: Value = answer
        return value


class Recorded:
    """What Pulumi knows of a stack, for all of its databases; each raises `Unreachable` if Pulumi cannot be asked."""

    def __init__(self, name: str) -> None:
        self.name = name

    @Once
    def outputs(self) -> Outputs:
        """The secret outputs of the last run."""
        return outputs(self.name)

    @Once
    def state(self) -> State:
        """Its resources."""
        return state(self.name)

    @Once
    def backend(self) -> str:
        """Where the state is kept."""
        return backend(self.name)

    @Once
    def abandoned(self) -> tuple[stale_locks.Lock, ...]:
        """The locks that killed runs left."""
        return tuple(stale_locks.locks(self.backend, self.name))


def no_session() -> Session:
    """For checks of a whole stack, which have no admin's session."""
    raise Unreachable("a stack as a whole has no session")


@dataclass(frozen=True, slots=True)
class Offered:
    """An extension that the server has on disk."""

    name: str
    installed: str | None
    """its version in this database"""
    offered: str
    """the version that `CREATE EXTENSION` installs if none is named"""
    versions: list[str]


class Observed:
    """One database, its server and what Pulumi knows of them.

    What asks the server or Pulumi raises `Unreachable` if that fails.
    """

    def __init__(
        self,
        stack: DatabaseStack,
        session: Callable[[], Session],
        recorded: Recorded | None = None,
        histories: ReadHistories = Histories,
    ) -> None:
        self.stack = stack
        self.recorded = recorded or Recorded(stack.name)
        self.placed: tuple[Finding, ...] = ()
        """findings that are fixed before those of the checks that read the catalogs as they are `then`"""
        self.tried: tuple[Finding, ...] = ()
        """findings of logging in as the services"""
        self.answers: dict[object, tuple[Finding | Notice, ...]] = {}
        """what checks have found, by their functions"""
        self._session = session
        self._histories = histories

    @property
    def session(self) -> Session:
        """The admin's."""
        return self._session()

    @cached_property
    def catalog(self) -> Catalog:
        """Roles, settings, schemas, what is in them, and access lists."""
        return catalog.read(self.stack, self.session)

    @cached_property
    def then(self) -> Catalog:
        """The catalogs as they will be once the remedies of `placed` have run."""
        return foreseen(self.catalog, self.placed)

    @property
    def moved(self) -> frozenset[str]:
        """What those remedies move to another schema, as SQL names it now."""
        placed = (finding.remedy.placed for finding in self.placed)
        return frozenset(place.identity for place in placed if place and place.schema)

    @cached_property
    def admin(self) -> AdminCapabilities:
        """What the stack's admin may do by itself."""
        return admin_capabilities(self.stack, self.catalog)

    @cached_property
    def rights(self) -> rights.AdminSnapshot:
        """The admin's privileges, as the next run checks them."""
        return rights.ask(self.stack, self.session)

    def manages(self, role: str) -> bool:
        """Whether the admin may change a role."""
        return self.admin.superuser or any(known.name == role and known.manageable for known in self.rights.roles)

    @cached_property
    def event_triggers(self) -> list[EventTrigger]:
        """Those that fire."""
        return functions.event_triggers(self.session, self.stack.server.user)

    @cached_property
    def verifiers(self) -> list[StoredPassword]:
        """The stored passwords of the stack's roles; only a superuser may read them."""
        roles = [login.role for login in self.stack.logins]
        return self.session.query("verifiers", StoredPassword, roles=roles)

    def settings(self, *names: str) -> Mapping[str, str]:
        """The server's values of these settings, without those that its version does not have."""
        return {setting.name: setting.value for setting in self.server_settings(*names)}

    def server_settings(self, *names: str) -> list[ServerSetting]:
        """The same, with where each value comes from."""
        return self.session.query("server_settings", ServerSetting, names=[*names])

    @cached_property
    def pooled(self) -> bool:
        """Whether a pooler stands between the admin and the server."""
        return self.session.pooled

    @cached_property
    def version_tables(self) -> tuple[VersionTable, ...]:
        """Alembic's tables, wherever they are."""
        return version_tables.read(self.stack, self.session, lambda: of_services(self.stack, self.recorded.outputs))

    @cached_property
    def histories(self) -> Histories:
        """What the services' migration scripts on this machine prove of revisions."""
        return self._histories(self.stack)

    def offered(self, *names: str) -> dict[str, Offered]:
        """Those of these extensions that the server has."""
        return {offered.name: offered for offered in self.session.query("offered", Offered, names=[*names])}
