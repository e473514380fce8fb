"""Where the admins' passwords stand in a stack file: secrets beside the declaration, and never in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from engarde.declaration.validation import Fault, join
from engarde.util.quoting import word

SHARED = "adminPassword"
"""The key of the shared server's."""
OTHERS = "adminPasswords"
"""The key of a map: database on another server -> its."""


def words(database: str | None) -> str:
    """What names a password to `pulumi config` in a shell: the shared server's without the key of a database."""
    return SHARED if database is None else f"--path {word(path(database))}"


def path(database: str) -> str:
    """Where the password of a database's admin stands, as the engine takes it."""
    return f"{OTHERS}[{json.dumps(database)}]"


def keys_of_secrets(values: Mapping[str, object]) -> set[str]:
    """The keys of a stack file whose whole value is encrypted."""
    return {name for name, value in values.items() if _encrypted(value)}


def faults(
    stack: str, prefix: str, values: Mapping[str, object], secrets: Collection[str], databases: Collection[str]
) -> Iterator[Fault]:
    """What is missing or stands in clear; as the file has it, or decrypted as the engine hands it over."""
    if SHARED not in secrets:
        problem = "stands in clear" if SHARED in values else "missing"
        yield Fault(
            f"{prefix}{SHARED}", f"{problem}; set it with `pulumi config set --secret {SHARED} --stack {stack}`"
        )
    stated = values.get(OTHERS)
    known = stated if isinstance(stated, dict) else {}
    for name in sorted(databases):
        given = known.get(name)
        if not _encrypted(given) and not (OTHERS in secrets and isinstance(given, str) and given):
            problem = "stands in clear" if given else "missing"
            command = f"pulumi config set --secret {words(name)} --stack {stack}"
            yield Fault(join(f"{prefix}{OTHERS}", name), f"{problem}; set it with `{command}`")
    for name in known.keys() - set(databases) if not _encrypted(stated) else ():
        yield Fault(join(f"{prefix}{OTHERS}", name), "no database of engarde:databases")


def _encrypted(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"} and isinstance(value["secure"], str)
