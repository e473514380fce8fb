"""Reads a stack: from its file for the tool, from the engine's configuration for the program, to equal values."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from engarde.declaration import database_rules, stack_rules
from engarde.declaration.address import Address, Elsewhere, Railway, SharedServer
from engarde.declaration.declared import Declared, StatusThresholds
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
from engarde.declaration.stack_file import PROJECT, NotPlain, config, plain
from engarde.declaration.stack_rules import Sections
from engarde.declaration.validation import ValidationFault, check, join, key
from engarde.errors import ConfigError
from engarde.util.quoting import word

# Not resolved: a folder whose program is a link to another's has a stack file and an engine of its own.
FOLDER = Path(__file__).absolute().parents[2]
"""The project: stack files, `bin/pulumi`."""
PASSWORD_KEY = "adminPassword"  # noqa: S105 - the name of a key
"""The key of the shared server's."""
PASSWORDS_KEY = "adminPasswords"
"""The key of a map: database on another server -> its."""
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


def read(folder: Path, stack: str) -> Stack:
    """The stack of `Pulumi.<stack>.yaml` in the folder; needs neither engine nor passphrase.

    :raises ConfigError: the file is missing, is no YAML, or holds faults; all of them in one message.
    """
    return of_config(stack, config(folder / f"Pulumi.{stack}.yaml"))


def of_config(stack: str, config: Mapping[str, Any]) -> Stack:
    """The same of all that stands under `config` in such a file.

    :raises ConfigError: every fault of the configuration.
    """
    values = {k.removeprefix(f"{PROJECT}:"): v for k, v in config.items() if k.startswith(f"{PROJECT}:")}
    return parse(stack, values, {name for name, value in values.items() if _encrypted(value)})


def parse(name: str, values: Mapping[str, object], secrets: Collection[str]) -> Stack:
    """The checked stack of the project's configuration values, without their `engarde:` prefix.

    :raises ConfigError: every fault of the configuration, each with its path.
    """
    faults: list[ValidationFault] = []
    known = (*SECTIONS, PASSWORD_KEY, PASSWORDS_KEY)
    for unknown in sorted(values.keys() - set(known)):
        faults.append(ValidationFault(_top(unknown), f"unknown key; allowed: {', '.join(known)}"))
    public = _public(values, faults)
    faults += _password_faults(name, values, secrets, public.get("databases"))
    faults += [
        ValidationFault(_top(k), "must not be a secret; only the admin's password is") for k in public if k in secrets
    ]
    faults += stack_rules.forbidden_values({_top(k): v for k, v in public.items()})
    stack = _sections(name, {k: v for k, v in public.items() if k not in secrets}, faults)
    if faults or stack is None:
        lines = "\n".join(f"  {fault}" for fault in sorted(set(faults)))
        raise ConfigError(f"Pulumi.{name}.yaml has faults; nothing was changed:\n{lines}")
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
    before = len(faults)
    server = check(SharedServer, _map(values, "server", faults), _top("server"), faults)
    protect = {"protect": server.protect if server else False}
    creators = {"creators": [server.user if server else "postgres"]}
    address = _one(Address, values, "serviceAddress", faults)
    if server and "serviceAddress" not in values:
        # Not its sslmode: that is the admin's, and any spelling of it breaks some driver of some service.
        address = Address(host=server.host, port=server.port)
    stated = Sections(
        server=server,
        address=address,
        unpooled=_one(Address, values, "unpooledAddress", faults),
        services=_named(Service, values, "services", faults, lambda key: {**protect, "schema": key}),
        databases=_named(Elsewhere, values, "databases", faults, lambda key: {"database": key}),
        existing_schemas=_named(ExistingSchema, values, "existingSchemas", faults, lambda key: creators),
        analytics=_one(Analytics, values, "analytics", faults, protect),
        extensions=_named(Extension, values, "extensions", faults),
        outside_roles=_named(OutsideRole, values, "outsideRoles", faults),
        shut_out=_roles(values, faults),
        accepted=_listed(Accepted, values, "accepted", faults),
        values=values,
    )
    railway = _one(Railway, values, "railway", faults)
    status = _one(StatusThresholds, values, "status", faults)
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


def _one(
    kind: type[Kind],
    values: Mapping[str, object],
    section: str,
    faults: list[ValidationFault],
    defaults: Mapping[str, object] = MappingProxyType({}),
) -> Kind | None:
    """A section that may be left out; a bare one is all defaults."""
    if section not in values:
        return None
    return check(kind, {**defaults, **_map(values, section, faults)}, _top(section), faults)


def _roles(values: Mapping[str, object], faults: list[ValidationFault]) -> tuple[str, ...]:
    """The list of roles that are shut out; a bare key is an empty one."""
    found: list[ValidationFault] = []
    path = _top("shutOut")
    stated = check(ShutOut, {"roles": values.get("shutOut") or []}, path, found)
    faults += [ValidationFault(each.path.replace(f"{path}.roles", path, 1), each.wrong) for each in found]
    return stated.roles if stated else ()


def _map(values: Mapping[str, object], section: str, faults: list[ValidationFault]) -> dict[str, object]:
    value = values.get(section)
    if value is None or value == "":  # a bare key: the engine hands it over as empty text
        return {}
    if not isinstance(value, dict):
        faults.append(ValidationFault(_top(section), "must be a map"))
        return {}
    return value


def _listed(
    kind: type[Kind], values: Mapping[str, object], section: str, faults: list[ValidationFault]
) -> tuple[Kind, ...]:
    """The entries of a list, each a map."""
    value = values.get(section)
    if value is None or value == "":
        return ()
    if not isinstance(value, list):
        faults.append(ValidationFault(_top(section), "must be a list"))
        return ()
    found = []
    for place, entry in enumerate(value):
        path = join(_top(section), place)
        if not isinstance(entry, dict):
            faults.append(ValidationFault(path, "must be a map"))
        elif declared := check(kind, entry, path, faults):
            found.append(declared)
    return tuple(found)


def _named(
    kind: type[Kind],
    values: Mapping[str, object],
    section: str,
    faults: list[ValidationFault],
    defaults: Any = lambda key: {},
) -> tuple[Kind, ...]:
    """The entries of a map whose keys are names; a bare key is all defaults.

    By name: the engine sorts the keys of a map that it hands over.
    """
    found = []
    for name, entry in sorted(_map(values, section, faults).items()):
        path = join(_top(section), name)
        if entry is not None and not isinstance(entry, dict):
            faults.append(ValidationFault(path, "must be a map, or bare for all defaults"))
        elif entry and "name" in entry:
            faults.append(ValidationFault(join(path, "name"), "unknown key; the name is the key above it"))
        else:
            declared = check(kind, {**defaults(name), **(entry or {}), "name": name}, path, faults)
            found += [declared] if declared else []
    return tuple(found)


def password_words(database: str | None) -> str:
    """What names a password to `pulumi config` in a shell: the shared server's without the key of a database."""
    return PASSWORD_KEY if database is None else f"--path {word(password_path(database))}"


def password_path(database: str) -> str:
    """Where the password of a database's admin stands, as the engine takes it."""
    return f"{PASSWORDS_KEY}[{json.dumps(database)}]"


def _password_faults(
    stack: str, values: Mapping[str, object], secrets: Collection[str], databases: object
) -> Iterator[ValidationFault]:
    """What is missing or stands in clear; as the file has it, or decrypted as the engine hands it over."""
    if PASSWORD_KEY not in secrets:
        problem = "stands in clear" if PASSWORD_KEY in values else "missing"
        command = f"pulumi config set --secret {PASSWORD_KEY} --stack {stack}"
        yield ValidationFault(_top(PASSWORD_KEY), f"{problem}; set it with `{command}`")
    stated = values.get(PASSWORDS_KEY)
    known = stated if isinstance(stated, dict) else {}
    names = set(map(str, databases)) if isinstance(databases, dict) else set()
    for name in sorted(names):
        given = known.get(name)
        if not _encrypted(given) and not (PASSWORDS_KEY in secrets and isinstance(given, str) and given):
            problem = "stands in clear" if given else "missing"
            command = f"pulumi config set --secret {password_words(name)} --stack {stack}"
            yield ValidationFault(join(_top(PASSWORDS_KEY), name), f"{problem}; set it with `{command}`")
    for name in known.keys() - names if not _encrypted(stated) else ():
        yield ValidationFault(join(_top(PASSWORDS_KEY), name), "no database of engarde:databases")


def _encrypted(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"} and isinstance(value["secure"], str)
