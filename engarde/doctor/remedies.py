"""The fixes that more than one cause has."""

import json
import re
from collections.abc import Collection, Sequence

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import spelled
from engarde.declaration.resource_names import login_name
from engarde.declaration.stack_file import referring
from engarde.doctor import failed_statement
from engarde.doctor.facts import Facts, read_of
from engarde.output.findings import Remedy
from engarde.server.catalog import Setting
from engarde.util.quoting import statement, word
from engarde.util.terminal import visible

SERVICE = "SERVICE"
"""In place of a service that the text does not name."""
TABLE = "TABLE"
"""In place of a table that the text does not name."""
PLACEHOLDERS = (SERVICE, "SCHEMA", TABLE, "EXTENSION")
"""All such placeholders."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"})


def up_again(facts: Facts) -> Remedy:
    """The next run of the same."""
    return command(f"bin/pulumi up --stack {facts.stack.name}")


def new_url(facts: Facts) -> Remedy:
    """The current URL of the login that the error is about."""
    return url(facts, only(facts.suspects))


def url(facts: Facts, who: str, where: str = "service") -> Remedy:
    """The URL of a login, to replace the variable that the service has."""
    return command(f"bin/engarde url {word(who)} --stack {facts.stack.name} --from {where}")


def only(logins: Collection[Service | Analytics]) -> str:
    """The one login, or a placeholder."""
    return login_name(next(iter(logins))) if len(logins) == 1 else SERVICE


def command(*lines: str) -> Remedy:
    """Commands for a shell in the project's folder."""
    return Remedy("command", "\n".join(lines))


def code(*lines: str) -> Remedy:
    """A change of a service."""
    return Remedy("code", "\n".join(lines))


ASK_ITS_SERVICE = code(
    "let the service that owns the table write, through its API: a stack file can give others only SELECT"
)
"""For privileges that no line of the stack file gives to others."""


def edit(*keys: str, value: str | tuple[str, ...]) -> Remedy:
    """A line of the stack file below its keys; for a list, the items to add."""
    heads = [f"{'  ' * depth}{key if depth == 0 else scalar(key)}:" for depth, key in enumerate(keys)]
    if isinstance(value, str):
        return Remedy("edit", "\n".join([*heads[:-1], f"{heads[-1]} {value}"]))
    indent = "  " * len(keys)
    return Remedy("edit", "\n".join([*heads, *(f"{indent}- {scalar(item)}" for item in value)]))


def of_login(login: Service | Analytics, key: str, value: str) -> Remedy:
    """One key of a service or of analytics."""
    if isinstance(login, Analytics):
        return edit("engarde:analytics", key, value=value)
    return edit("engarde:services", login.name, key, value=value)


def scalar(text: str) -> str:
    """A text as a YAML scalar, quoted only if it has to be."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    # In double quotes YAML reads the escapes that make a character visible.
    return text if plain else visible(json.dumps(text, ensure_ascii=False))


def sql(facts: Facts, text: str, *owners: str, safe: bool = False) -> Remedy:
    """Statements for the admin, or for a superuser if the admin may not act for these owners."""
    may = facts.observed.admin.may(*owners)
    return Remedy("sql", text, by_superuser=not may, safe=safe and may)


def reset_in_database(facts: Facts, setting: Setting) -> Remedy:
    """Resets a setting of a role in one database, which `up` would not change."""
    reset = statement(
        f"ALTER ROLE {{}} IN DATABASE {{}} RESET {setting.name}", setting.role or "", setting.database or ""
    )
    return sql(facts, reset, safe=True)


def declaring(facts: Facts, lacking: Sequence[Service | Analytics], schema: str, table: str | None) -> Remedy:
    """The lines that let one of these logins read a table, or point the refused foreign key at it.

    If there are several logins, the lines have a placeholder for it.
    """
    who, alone = only(lacking), lacking[0] if len(lacking) == 1 else None
    if isinstance(alone, Analytics):
        declared = edit("engarde:analytics", "schemas", value=(*facts.stack.analytics_schemas, schema))
    elif failed_statement.makes_foreign_key(facts.error.lines):
        read = read_of(alone, schema, table) if alone and table else None
        declared = Remedy("edit", referring(who, schema, table or TABLE, read))
    else:
        declared = edit("engarde:services", who, "reads", value=(spelled(schema, table or TABLE),))
    if schema in facts.stack.schemas:
        return declared
    existing = edit("engarde:existingSchemas", schema, value="{}")
    return Remedy("edit", f"{existing.text}\n{declared.text}")


def named(logins: Collection[Service | Analytics]) -> str:
    """The names of the logins, for a sentence."""
    return ", ".join(map(login_name, logins))
