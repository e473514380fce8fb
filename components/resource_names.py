"""Names of the resources that rows of the privilege table become: no two rows meet in one, whatever they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from components.engine import Recorded
from engarde.model import Stack
from engarde.places import CONNECT, placed, placed_on_server, quoted
from engarde.privileges import On, Privilege, creators

_WORDS = {
    On.SCHEMA: "usage",
    On.TABLES: "tables",
    On.SEQUENCES: "sequences",
    On.FUTURE_TABLES: "future-tables",
    On.FUTURE_SEQUENCES: "future-sequences",
}

Writing = Callable[[str], str]


def _bare(part: str) -> str:
    return part


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
