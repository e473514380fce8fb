"""Reads a stack from its file (the tool) or from Pulumi's configuration (the program), with equal results."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from engarde.declaration import database_rules, stack_rules
from engarde.declaration.address import Address, Elsewhere, Railway, SharedServer
from engarde.declaration.declared import NOTHING, Declared, StatusThresholds
from engarde.declaration.model import (
    Accepted,
    Analytics,
    ExistingSchema,
    Extension,
    OutsideRole,
    Service,
    ShutOut,
    Stack,
)
from engarde.declaration.stack_file import NotPlain, plain
from engarde.declaration.stack_names import PROJECT, file_name
from engarde.declaration.stack_rules import Sections
from engarde.declaration.validation import ValidationFault, check, join, key
from engarde.errors import ConfigError
from engarde.util.quoting import word

PROJECT_FILE = "Pulumi.yaml"


def _folder() -> Path:
    """The folder of a clone; for an installed package the nearest project from the current folder upwards."""
    # Not resolved: if the program is a link, its folder still has its own stack files and its own Pulumi.
    clone = Path(__file__).absolute().parents[2]
    if (clone / PROJECT_FILE).exists():
        return clone
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return Path()
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).exists()), here)


FOLDER = _folder()
"""The project: stack files, `bin/pulumi`. Relative if the current folder was deleted."""

PASSWORD_KEY = "adminPassword"  # noqa: S105 - the name of a key
"""The key of the password of the shared server's admin."""
PASSWORDS_KEY = "adminPasswords"
"""The key of a map: database on another server -> the password of its admin."""
SECTIONS = (
    "server",
    "serviceAddress",
    "unpooledAddress",
    "services",
    "databases",
    "existingSchemas",
    "analytics",
    "extensions",
    "outsideRoles",
    "shutOut",
    "railway",
    "status",
    "accepted",
)

Kind = TypeVar("Kind", bound=Declared)
Form = TypeVar("Form", dict[str, Any], list[Any])


def refuse_without_project() -> None:
    """:raises ConfigError: the tool was started outside of every project."""
    if not FOLDER.is_absolute():
        raise ConfigError("the current folder was deleted; run this in the folder of the stack files")
    if not (FOLDER / PROJECT_FILE).exists():
        raise ConfigError(
            f"no {PROJECT_FILE} in {FOLDER} or in a folder above it; run this in the folder of the stack files"
        )


def of_config(stack: str, config: Mapping[str, Any]) -> Stack:
    """The checked stack of the map `config` in its file.

    :raises ConfigError: every fault of the configuration.
    """
    values = {k.removeprefix(f"{PROJECT}:"): v for k, v in config.items() if k.startswith(f"{PROJECT}:")}
    return parse(stack, values, {name for name, value in values.items() if _encrypted(value)})


def parse(name: str, values: Mapping[str, object], secrets: Collection[str]) -> Stack:
    """The checked stack of the project's configuration values, whose keys have no `engarde:` prefix.

    :raises ConfigError: every fault of the configuration, each with its path.
    """
    faults: list[ValidationFault] = []
    known = (*SECTIONS, PASSWORD_KEY, PASSWORDS_KEY)
    for unknown in values.keys() - set(known):
        faults.append(ValidationFault(_top(unknown), f"unknown key; allowed: {', '.join(known)}"))
    public = _public(values, faults)
    faults += _password_faults(name, values, secrets, public.get("databases"))
    faults += [ValidationFault(_top(k), stack_rules.NO_SECRET) for k in public if k in secrets]
    faults += stack_rules.forbidden_values({_top(k): v for k, v in public.items()})
    stack = _sections(name, {k: v for k, v in public.items() if k not in secrets}, faults)
    if faults or stack is None:
        lines = "\n".join(f"  {fault}" for fault in sorted(set(faults)))
        raise ConfigError(f"{file_name(name)} has faults. Nothing was changed.\n{lines}")
    return stack


def _public(values: Mapping[str, object], faults: list[ValidationFault]) -> dict[str, Any]:
    """The sections as plain values; those that cannot be are faults."""
    found: dict[str, Any] = {}
    for section in SECTIONS:
        try:
            found |= {section: plain(values[section])} if section in values else {}
        except NotPlain as why:
            faults.append(ValidationFault(_top(section), str(why)))
    return found


def _top(section: str) -> str:
    return f"{PROJECT}:{key(section)}"


def _sections(name: str, values: dict[str, object], faults: list[ValidationFault]) -> Stack | None:
    before, reading = len(faults), _Reading(values, faults)
    server = check(SharedServer, reading.stated("server", dict), _top("server"), faults)
    protect = {"protect": server.protect if server else False}
    creators = {"creators": [server.user if server else "postgres"]}
    address = reading.one(Address, "serviceAddress")
    if server and "serviceAddress" not in values:
        # Not the admin's sslmode: whatever a URL has for it, it breaks some driver of some service.
        address = Address(host=server.host, port=server.port)
    stated = Sections(
        server=server,
        address=address,
        unpooled=reading.one(Address, "unpooledAddress"),
        services=reading.named(Service, "services", lambda key: {**protect, "schema": key}),
        databases=reading.named(Elsewhere, "databases", lambda key: {"database": key}),
        existing_schemas=reading.named(ExistingSchema, "existingSchemas", lambda _: creators),
        analytics=reading.one(Analytics, "analytics", protect),
        extensions=reading.named(Extension, "extensions"),
        outside_roles=reading.named(OutsideRole, "outsideRoles"),
        shut_out=reading.shut_out(),
        accepted=reading.listed(Accepted, "accepted"),
        values=values,
    )
    railway = reading.one(Railway, "railway")
    status = reading.one(StatusThresholds, "status")
    faults += (*stack_rules.rules(stated), *database_rules.rules(stated))
    if len(faults) > before or server is None or address is None:
        return None
    return Stack(
        name=name,
        server=server,
        service_address=address,
        unpooled_address=stated.unpooled,
        services=stated.services,
        existing_schemas=stated.existing_schemas,
        analytics=stated.analytics,
        extensions=stated.extensions,
        outside_roles=stated.outside_roles,
        shut_out=stated.shut_out,
        railway=railway,
        other_servers=stated.databases,
        accepted=stated.accepted,
        status=status or StatusThresholds(),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The sections as plain values, and the faults found while each is read."""

    values: Mapping[str, object]
    faults: list[ValidationFault]

    def stated(self, section: str, form: type[Form]) -> Form:
        """A map or a list; an empty one for a bare key, which Pulumi hands over as empty text."""
        value = self.values.get(section)
        if isinstance(value, form):
            return value
        if value is not None and value != "":
            self.faults.append(ValidationFault(_top(section), f"must be a {'map' if form is dict else 'list'}"))
        return form()

    def one(self, kind: type[Kind], section: str, defaults: Mapping[str, Any] = NOTHING) -> Kind | None:
        """A section that may be left out; a bare one has all defaults."""
        if section not in self.values:
            return None
        return check(kind, {**defaults, **self.stated(section, dict)}, _top(section), self.faults)

    def shut_out(self) -> tuple[str, ...]:
        """The roles of the list, which is checked as one value."""
        found: list[ValidationFault] = []
        path = _top("shutOut")
        stated = check(ShutOut, {"roles": self.values.get("shutOut") or []}, path, found)
        self.faults.extend(
            ValidationFault(fault.path.replace(f"{path}.roles", path, 1), fault.wrong) for fault in found
        )
        return stated.roles if stated else ()

    def listed(self, kind: type[Kind], section: str) -> tuple[Kind, ...]:
        """The entries of a list of maps."""
        found = []
        for place, entry in enumerate(self.stated(section, list)):
            path = join(_top(section), place)
            if not isinstance(entry, dict):
                self.faults.append(ValidationFault(path, "must be a map"))
            elif declared := check(kind, entry, path, self.faults):
                found.append(declared)
        return tuple(found)

    def named(self, kind: type[Kind], section: str, defaults: Any = lambda _: NOTHING) -> tuple[Kind, ...]:
        """The entries of a map whose keys are names; a bare key has all defaults.

        Sorted by name, as Pulumi hands over the keys of a map.
        """
        found = []
        for name, entry in sorted(self.stated(section, dict).items()):
            path = join(_top(section), name)
            if entry is not None and not isinstance(entry, dict):
                self.faults.append(ValidationFault(path, "must be a map, or empty for all defaults"))
            elif entry and "name" in entry:
                self.faults.append(ValidationFault(join(path, "name"), "unknown key; the name is the key above it"))
            elif declared := check(kind, {**defaults(name), **(entry or {}), "name": name}, path, self.faults):
                found.append(declared)
        return tuple(found)


def password_words(database: str | None) -> str:
    """The arguments that name a password to `pulumi config`: without a database, the shared server's."""
    return PASSWORD_KEY if database is None else f"--path {word(password_path(database))}"


def password_path(database: str) -> str:
    """The path of a database's admin password in Pulumi's configuration."""
    return f"{PASSWORDS_KEY}[{json.dumps(database)}]"


def _password_faults(
    stack: str, values: Mapping[str, object], secrets: Collection[str], databases: object
) -> Iterator[ValidationFault]:
    """Passwords that are missing or in clear text; as the file has them, or decrypted, as Pulumi hands them over."""
    if PASSWORD_KEY not in secrets:
        problem = "is in clear text" if PASSWORD_KEY in values else "missing"
        command = f"pulumi config set --secret {PASSWORD_KEY} --stack {stack}"
        yield ValidationFault(_top(PASSWORD_KEY), f"{problem}; set it with `{command}`")
    stated = values.get(PASSWORDS_KEY)
    if _encrypted(stated):
        # All of it at once: whose passwords it holds, Pulumi alone knows.
        return
    known = stated if isinstance(stated, dict) else {}
    names = set(map(str, databases)) if isinstance(databases, dict) else set()
    for name in sorted(names):
        given = known.get(name)
        if not _encrypted(given) and not (PASSWORDS_KEY in secrets and isinstance(given, str) and given):
            problem = "is in clear text" if given else "missing"
            command = f"pulumi config set --secret {password_words(name)} --stack {stack}"
            yield ValidationFault(join(_top(PASSWORDS_KEY), name), f"{problem}; set it with `{command}`")
    for name in known.keys() - names:
        yield ValidationFault(join(_top(PASSWORDS_KEY), name), "is not a key of engarde:databases")


def _encrypted(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"} and isinstance(value["secure"], str)
