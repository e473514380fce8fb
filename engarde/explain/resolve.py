"""Finds the role and the object that the operator named, or similar names if there is none."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC, SYSTEM, spelled, split
from engarde.declaration.resource_names import ADMIN, login_name
from engarde.errors import EngardeError
from engarde.explain.facts import Group
from engarde.server.session import Session
from engarde.util.unknown import UnknownName

_KINDS: dict[str, Group] = {
    **dict.fromkeys(("table", "view", "sequence"), "relation"),
    **dict.fromkeys(("function", "procedure"), "function"),
    "schema": "schema",
    "database": "database",
}
_TYPES = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "decimal": "numeric",
    "varchar": "character varying",
    "char": "character",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
}
"""Aliases of types -> their names in the catalog."""
_SYSTEMS = (SYSTEM, "information_schema", "pg_toast")
"""Schemas that are not suggested for a mistyped name."""


class NotNamed(EngardeError):
    """The named role does not exist yet, or the name fits several objects."""


@dataclass(frozen=True, slots=True)
class Named:
    """An object with an access list, by its name."""

    group: Group
    oid: int
    kind: str
    schema: str | None
    name: str
    arguments: str | None
    """of a function, as in its identity"""
    types: str | None
    """of a function: the types of its arguments"""

    def __str__(self) -> str:
        name = spelled(self.name) if self.schema is None else spelled(self.schema, self.name)
        return name if self.types is None else f"{name}({self.types})"


def role(stack: DatabaseStack, text: str, roles: Collection[str]) -> str:
    """The role for a word of the tool, a service's name or a role's name; `public` for PUBLIC.

    :raises NotNamed: the role does not exist yet.
    :raises UnknownName: there is no such role.
    """
    words = {login_name(login): login.role for login in (*stack.logins, *stack.neighbours)} | {ADMIN: stack.server.user}
    if text in words:
        if words[text] not in roles:
            raise NotNamed(f"{text}'s role {words[text]} does not exist yet: run bin/pulumi up --stack {stack.name}")
        return words[text]
    quoted = split(text) if text.startswith('"') else None
    for name in (text, quoted[0] if quoted and len(quoted) == 1 else text):
        if name in roles:
            return name
    if text.lower() == PUBLIC:
        return PUBLIC
    raise UnknownName(f"the server of stack {stack.name}", "role", [text], [*words, *roles])


def thing(asked: Session, text: str) -> Named:
    """The named object.

    :raises NotNamed: several objects have this name.
    :raises UnknownName: no object has it.
    """
    word, _, rest = text.partition(" ")
    found = _found(asked, text)
    if not found and word.lower() in _KINDS and rest:
        found = [named for named in _found(asked, rest.strip()) if named.group == _KINDS[word.lower()]]
    # A table comes before a function of the same name, which can be named with its arguments.
    found = [finding for finding in found if finding.group == "relation"] or found
    if not found:
        everything = asked.query("explain_named", Named, every=True, schema=None, name=None)
        alike = [named for named in everything if named.schema is not None and named.name == text]
        others = [named for named in everything if named.schema not in _SYSTEMS and named.name not in _SYSTEMS]
        kinds = "table, sequence, function, schema or database"
        raise UnknownName("the server", kinds, [text], map(str, [*alike, *others]))
    if len(found) > 1:
        listed = ", ".join(f"'{finding.kind} {finding}'" for finding in found)
        raise NotNamed(f"{text} is ambiguous; name one of: {listed}")
    return found[0]


def _found(asked: Session, text: str) -> list[Named]:
    before, arguments = _call(text)
    parts = split(before)
    if parts is None or len(parts) > 2:
        return []
    schema = parts[0] if len(parts) == 2 else None
    found = asked.query("explain_named", Named, every=False, schema=schema, name=parts[-1])
    if arguments is None:
        return found
    wanted = _plain(arguments)
    return [finding for finding in found if wanted in _written(finding)]


def _written(function: Named) -> set[str]:
    """The spellings of its arguments; an operator may leave out the schema `public`."""
    if function.types is None:
        return set()
    whole = {_plain(function.types), _plain(function.arguments)}
    return whole | {re.sub(rf"\b{PUBLIC}\.", "", types) for types in whole}


def _call(text: str) -> tuple[str, str | None]:
    """Name and arguments of `name(arguments)`, if the bracket is not in quotes."""
    for bracket in re.finditer(r"\(", text):
        if text.endswith(")") and text.count('"', 0, bracket.start()) % 2 == 0:
            return text[: bracket.start()], text[bracket.end() : -1]
    return text, None


def _plain(arguments: str | None) -> str:
    words = re.sub(r"\s*,\s*", ", ", " ".join((arguments or "").split()))
    return re.sub(r"[\w.]+(?=(\[\])*(, |$))", lambda found: _TYPES.get(found[0], found[0]), words)
