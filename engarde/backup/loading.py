"""Loads a dump in the place of what a schema holds, in one transaction: at its end there is all of it, or what was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from engarde.backup import archive, definitions, large_objects
from engarde.backup.clients import Client
from engarde.backup.comparing import contents
from engarde.backup.dumping import DUMP
from engarde.backup.inventory import Inventory, Owned
from engarde.backup.rows import Begun, Done
from engarde.backup.taking import path, service_path, taken
from engarde.errors import Refused, Unfinished
from engarde.server import copy_in
from engarde.server.session import Session
from engarde.util.quoting import quoted
from engarde.util.visible import visible

Say = Callable[[str], None]
DROPPED_AS = {
    "aggregate": "ROUTINE",
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "statistics object": "STATISTICS",
}
"""What DROP calls a kind of object, where that is not its name."""

SHOWN = 20
"""How many differences are told."""


def begin(asked: Session, schema: str) -> str:
    """Makes this the one transaction that loads into the schema; which it is.

    :raises Refused: another one is at it.
    """
    [begun] = asked.rows("backup_restoring", Begun, schema=schema)
    if begun.other:
        raise Refused(
            f"another `restore` is at work on schema {schema}, process {begun.other} of the service's role;"
            " nothing was changed. Let it end"
        )
    return begun.transaction


def clear(asked: Session, found: Sequence[Owned]) -> None:
    """Drops what stands in a schema, and the role's large objects; all of it comes back with the transaction's end."""
    drops = [f"DROP {DROPPED_AS.get(each.kind, each.kind.upper())} IF EXISTS {each.name} CASCADE" for each in found]
    if drops:
        copy_in.script(asked, "the old data cannot be dropped", ";\n".join(drops))
    large_objects.unlink(asked)


def load(asked: Session, schema: str, folder: Path, wanted: Inventory, client: Client, say: Say) -> Inventory:
    """Loads a dump into an empty schema as the session's role, and finds in it exactly what the manifest lists.

    :raises Unfinished: it could not be loaded, or something is not as it was.
    """
    # A dump names schemas; the service's functions, which indexes and checks call, need not.
    path(asked, service_path(schema, wanted.extensions))
    with archive.opened(folder / DUMP, client) as dump:
        say("making tables, types and functions")
        definitions.run(asked, "definitions before the rows", dump.definitions("pre-data"))
        with dump.rows() as found:
            for number, each in enumerate(found, 1):
                name = each.statement.removeprefix("COPY ").removesuffix(" FROM stdin")
                say(f"loading table {number} of {wanted.stored}: {name.partition(' (')[0]}")
                copy_in.rows(asked, name, each.statement, each.parts)
        _set_sequences(asked, schema, wanted)
        say("making indexes, constraints, triggers and views' contents")
        definitions.run(asked, "definitions after the rows", dump.definitions("post-data"))
    if wanted.large_objects:
        say(f"loading {len(wanted.large_objects)} large objects")
        large_objects.load(asked, folder / large_objects.FILE, wanted.large_objects)
    _analyze(asked, schema, wanted)
    say("comparing with the manifest")
    return _proved(wanted, taken(asked, schema, say))


def _set_sequences(asked: Session, schema: str, wanted: Inventory) -> None:
    values = [
        {"name": quoted(schema, each.name), "last": each.last, "called": each.called} for each in wanted.sequences
    ]
    asked.rows("backup_set_sequences", Done, sequences=json.dumps(values))


def _analyze(asked: Session, schema: str, wanted: Inventory) -> None:
    """A planner that knows nothing of new tables is slow until autovacuum has seen them."""
    names = [quoted(schema, each.name) for each in wanted.tables if each.rows]
    if names:
        copy_in.script(asked, "statistics", f"ANALYZE {', '.join(names)}")


def _proved(wanted: Inventory, found: Inventory) -> Inventory:
    if differences := contents(wanted, found):
        lines = [f"  {visible(str(each))}" for each in differences[:SHOWN]]
        more = [f"  and {len(differences) - SHOWN} more"] if len(differences) > SHOWN else []
        raise Unfinished("what was loaded is not what the manifest lists:\n" + "\n".join([*lines, *more]))
    return found
