"""What Pulumi knows of a stack: its state, its outputs and its admin's password."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engarde.declaration.loader import PASSWORD_KEY, password_path
from engarde.declaration.resource_names import SUFFIX
from engarde.errors import Unreachable
from engarde.pulumi_cli.process import engine

STACK = "pulumi:pulumi:Stack"
TENANT = "engarde:index:ServiceTenant"
READER = "engarde:index:AnalyticsReader"
ROLE = "postgresql:index/role:Role"
SCHEMA = "postgresql:index/schema:Schema"
GRANT = "postgresql:index/grant:Grant"
GRANT_ROLE = "postgresql:index/grantRole:GrantRole"
DEFAULT_PRIVILEGES = "postgresql:index/defaultPrivileges:DefaultPrivileges"
EXTENSION = "postgresql:index/extension:Extension"
PROVIDER = "pulumi:providers:postgresql"
PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - the type's name
"""Types of resources."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The stack's secret outputs as the last run left them."""

    database_urls: Mapping[str, str]
    """service -> URL at the address that services use"""
    analytics_url: str | None
    passwords: Mapping[str, str]
    """role -> password"""
    analytics_urls: Mapping[str, str] = field(default_factory=dict)
    """database -> URL; none where the stack has only the shared one"""
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """service -> those of its reads that were views"""
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """service -> its `schema`, `role` and, if it has one of its own, `database`"""


@dataclass(frozen=True, slots=True)
class Granted:
    role: str
    schema: str | None
    tables: tuple[str, ...]
    """none for all of the schema, and for the schema itself"""


@dataclass(frozen=True, slots=True)
class Resource:
    urn: str
    type: str
    name: str
    made: str | None = None
    """the name of what it is on the server"""
    granted: Granted | None = None
    """of a grant"""
    released: frozenset[str] = frozenset()
    """of a service: its grants that the next run lets go of, because their tables are gone"""
    rotation: int | None = None
    """of a password that is not on its way out"""
    protected: bool = False
    """of a service: whether the last run protected its role and its schema"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation that a killed run had begun."""

    operation: str
    """`creating`, `updating`, ..."""
    name: str


@dataclass(frozen=True, slots=True)
class State:
    """A stack's state without its secrets."""

    resources: tuple[Resource, ...]
    pending: tuple[Pending, ...]
    outputs: frozenset[str]
    """their names"""

    def made(self, kind: str) -> frozenset[str]:
        """The names on the server of the resources of a type."""
        return frozenset(resource.made for resource in self.resources if resource.type == kind and resource.made)

    @property
    def counters(self) -> dict[str, int]:
        """Login -> the rotation that its password is of."""
        passwords = (resource for resource in self.resources if resource.type == PASSWORD)
        return {password.name.removesuffix(SUFFIX): password.rotation for password in passwords if password.rotation}


def state(stack: str) -> State:
    """The state as the last run left it; empty before the first.

    :raises Unreachable: no Pulumi, no passphrase, or no such stack.
    """
    deployment = json.loads(_engine("stack", "export", "--stack", stack))["deployment"]
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    pending = deployment.get("pending_operations") or []
    return State(
        tuple(_resource(found) for found in resources),
        tuple(Pending(operation["type"], _name(operation["resource"]["urn"])) for operation in pending),
        frozenset(name for found in resources if found["type"] == STACK for name in found.get("outputs") or ()),
    )


def _resource(found: dict[str, Any]) -> Resource:
    known = found.get("outputs") or {}
    name = known.get("name")
    granted = None
    if found["type"] == GRANT and isinstance(known.get("role"), str):
        tables = known.get("objects") if known.get("objectType") == "table" else None
        granted = Granted(known["role"], known.get("schema"), tuple(tables or ()))
    return Resource(
        found["urn"],
        found["type"],
        _name(found["urn"]),
        # A secret is a map.
        name if isinstance(name, str) else None,
        granted,
        frozenset(known.get("released") or ()) if found["type"] == TENANT else frozenset(),
        rotation(known) if found["type"] == PASSWORD and not found.get("delete") else None,
        found["type"] == TENANT and bool(known.get("protected")),
    )


def rotation(outputs: Mapping[str, Any]) -> int | None:
    """The counter that a password was made for, by its resource's outputs."""
    kept = str((outputs.get("keepers") or {}).get("rotation"))
    return int(kept) if kept.isdecimal() else None


def _name(urn: str) -> str:
    # It comes last, and may hold colons itself.
    return urn.split("::", 3)[3]


def backend(stack: str) -> str:
    """The address of where the state is kept.

    :raises Unreachable: no Pulumi.
    """
    found: dict[str, Any] = json.loads(_engine("whoami", "--json", PULUMI_STACK=stack))
    return str(found.get("url") or "")


def outputs(stack: str) -> Outputs:
    """The outputs of the stack's last run.

    :raises Unreachable: no Pulumi, no passphrase, no such stack, or nothing brought up yet.
    """
    found: dict[str, Any] = json.loads(_engine("stack", "output", "--json", "--show-secrets", "--stack", stack))
    if "passwords" not in found:
        raise Unreachable(f"stack {stack} has no outputs yet; run `bin/pulumi up --stack {stack}`")
    urls = found.get("analytics_urls") or {}
    services = found.get("services") or {}
    return Outputs(found["database_urls"], found.get("analytics_url"), found["passwords"], urls, views(found), services)


def views(outputs: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Which reads of each service the last run found to be views, by the outputs of the stack."""
    services = outputs.get("services") or {}
    return {name: tuple(service.get("views") or ()) for name, service in services.items()}


def verifiers(stack: str) -> Mapping[str, str]:
    """What a server was last sent in place of each role's password, by the name of its resource.

    :raises Unreachable: no Pulumi, no passphrase, or no such stack.
    """
    deployment = json.loads(_engine("stack", "export", "--show-secrets", "--stack", stack))["deployment"]
    roles = [found for found in deployment.get("resources") or () if found["type"] == ROLE]
    # Its outputs are what the provider has read from the server.
    return {_name(role["urn"]): json.loads(role["inputs"]["password"]["plaintext"]) for role in roles}


@cache
def admin_password(stack: str, database: str | None = None) -> str:
    """The password of the admin's role, as Pulumi decrypts it; without `database` that of the shared server.

    Read once: it does not change during a command, and some commands need it at every step.

    :raises Unreachable: no Pulumi or no passphrase.
    """
    words = (PASSWORD_KEY,) if database is None else ("--path", password_path(database))
    return _engine("config", "get", *words, "--stack", stack).removesuffix("\n")


def _engine(*arguments: str, **environment: str) -> str:
    done = engine(*arguments, environment=environment)
    if done.returncode:
        said = done.stderr.strip() or "it printed no error"
        raise Unreachable(f"`pulumi {' '.join(arguments)}` failed:\n{said}")
    return done.stdout
