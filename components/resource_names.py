"""Names of the resources that rows of the privilege table become: no two rows meet in one, whatever they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from components.engine import Recorded
from engarde.model import Stack
from engarde.privileges import On, Privilege, creators

CONNECT = "connect"
_WORDS = {
    On.SCHEMA: "usage",
    On.TABLES: "tables",
    On.SEQUENCES: "sequences",
    On.FUTURE_TABLES: "future-tables",
    On.FUTURE_SEQUENCES: "future-sequences",
}
_JOINTS = frozenset('-."')
_PLACE = re.compile(r"""-(?:in|on)-(?:[^-."]+|"(?:[^"]|"")*")$""")

Writing = Callable[[str], str]


def quoted(part: str) -> str:
    """A part of a name, in quotes as in SQL where it could be taken for more than one part."""
    # Bare, service `a` with USAGE on a schema `connect` would meet service `a-usage` with its CONNECT.
    if part == CONNECT or _JOINTS & set(part):
        return '"' + part.replace('"', '""') + '"'
    return part


def _bare(part: str) -> str:
    return part


def placed(name: str, part: Stack) -> str:
    """The name of what is in the part's database."""
    if part.label is None:
        return name
    return f"{name}-{'on' if part.elsewhere else 'in'}-{quoted(part.label)}"


def placed_on_server(name: str, part: Stack) -> str:
    """The name of what the part's server has once for all of its databases."""
    return placed(name, part) if part.elsewhere else name


def base_of(name: str) -> str:
    """The name without its place."""
    return _PLACE.sub("", name)


def label_of(name: str) -> tuple[str, bool] | None:
    """The database of which a name tells, and whether it is on another server; None for the shared one."""
    place = name.removeprefix(base_of(name))
    if not place:
        return None
    label = place[len("-in-") :]
    return (label[1:-1].replace('""', '"') if label.startswith('"') else label), place.startswith("-on-")


def name_of(owner: str, row: Privilege, part: Stack, write: Writing = quoted) -> str:
    """The name of the owner's resource for the row."""
    if row.on is On.ROLE:
        return placed_on_server(f"{owner}-admin", part)
    return placed(_name(owner, row, part, write), part)


def _name(owner: str, row: Privilege, stack: Stack, write: Writing) -> str:
    if row.on is On.DATABASE:
        return f"{owner}-{CONNECT}" + ("" if row.database == stack.server.database else f"-{row.database}")
    if row.on is On.FUTURE_FUNCTIONS:
        return f"{owner}-no-public-execute"
    if row.on in (On.TABLE, On.COLUMNS):
        return _name_of_read(owner, row, write)
    schema = row.schema or ""
    several = row.creator and len(creators(stack, schema)) > 1
    return f"{owner}-{_WORDS[row.on]}-{write(schema)}" + (f"-{write(row.creator or '')}" if several else "")


def name_of_read(owner: str, row: Privilege, part: Stack) -> str:
    """The name of the owner's resource that grants a declared read."""
    return placed(_name_of_read(owner, row, quoted), part)


def _name_of_read(owner: str, row: Privilege, write: Writing) -> str:
    return f"{owner}-reads-{write(row.schema or '')}.{write(row.table or '')}"


def former_names(owner: str, row: Privilege, part: Stack, recorded: Iterable[Recorded]) -> list[str]:
    """The name without quotes, where the state still holds the row under it.

    Only then: the engine refuses an alias that is also the name of another resource.
    """
    former = name_of(owner, row, part, _bare)
    if former == name_of(owner, row, part):
        return []
    held = any(
        found.name == former and (found.outputs.get("role"), found.outputs.get("schema")) == (row.grantee, row.schema)
        for found in recorded
    )
    return [former] if held else []
