"""Reads the inventory of a schema from a server."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engarde.backup.inventory import Edge, Grant, Inventory, LargeObject, Owned, Sequence, Server, Table, Thing
from engarde.declaration.names import PUBLIC
from engarde.errors import Refused
from engarde.server.catalog import Default, Entry
from engarde.server.functions import Extension
from engarde.server.session import SEARCH_PATH, Session
from engarde.util.quoting import quoted, statement
from engarde.util.terminal import Say, visible


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table before its rows are counted."""

    name: str
    parts: bool
    """it has partitions"""
    counted: bool
    readable: bool
    forced: bool
    """row security applies to its owner, too"""
    hidden: bool
    """row security applies to the session's role"""
    detail: str
    columns: list[str]
    details: list[str]


def inspect(asked: Session, schema: str, say: Say, reader: str | None = None) -> Inventory:
    """Everything in a schema in this session's snapshot; it pins how the session prints values.

    :param reader: the session's role, if it does not own the schema; then large objects are left out.
    :raises Refused: there is no such schema, or the session's role does not see every row.
    """
    [server] = asked.query("backup_pinned", Server)
    owner, (extensions, others) = owner_of(asked, schema), needs(asked, schema)
    return Inventory(
        server=server,
        schema=schema,
        owner=owner,
        tables=tuple(_tables(asked, schema, say, reader)),
        sequences=tuple(sequences(asked, schema)),
        things=tuple(asked.query("backup_things", Thing, schema=schema)),
        owned=tuple(asked.query("backup_contents", Owned, schema=schema)),
        grants=tuple(grants(asked, schema, owner)),
        large_objects=() if reader else tuple(asked.query("backup_large_objects", LargeObject, role=owner)),
        extensions=extensions,
        needs=others,
        needed_by=needed_by(asked, schema),
    )


def needs(asked: Session, schema: str) -> tuple[tuple[Extension, ...], tuple[Edge, ...]]:
    """The extensions that a schema's objects need, and the other objects outside that they need."""
    edges = asked.query("backup_edges", Edge, schema=schema, side="needs")
    used = {edge.name for edge in edges if edge.kind == "extension"}
    extensions = (extension for extension in asked.query("backup_extensions", Extension) if extension.name in used)
    return tuple(extensions), tuple(edge for edge in edges if edge.kind != "extension")


def needed_by(asked: Session, schema: str) -> tuple[Edge, ...]:
    """The objects outside that need objects in a schema, and are dropped with them."""
    return tuple(asked.query("backup_edges", Edge, schema=schema, side="needed by"))


def owner_of(asked: Session, schema: str) -> str:
    """The schema's owner.

    :raises Refused: there is no such schema.
    """
    for owner in asked.values("backup_schema", schema=schema):
        return str(owner)
    raise Refused(f"schema {schema} does not exist; run `bin/pulumi up` to create it")


def _tables(asked: Session, schema: str, say: Say, reader: str | None) -> Iterator[Table]:
    found = asked.query("backup_tables", FoundTable, schema=schema)
    if unreadable := [table.name for table in found if not table.readable]:
        raise Refused(
            f"{schema}: {reader or 'its owner'} may not read {', '.join(map(visible, unreadable))}. Run `bin/engarde"
            " verify`, which shows their owners and the fix"
        )
    if reader and (hidden := [table.name for table in found if table.hidden]):
        raise Refused(
            f"{schema}: row security applies to {reader} on {', '.join(map(visible, hidden))}, so a copy would lack"
            " rows. Copy these tables as their owner, with pg_dump"
        )
    if forced := [table.name for table in found if table.forced and not reader]:
        raise Refused(
            f"{schema}: row security is forced on {', '.join(map(visible, forced))}, so their owner does not see every"
            " row, and a copy would lack rows. Remove FORCE while the copy is made:"
            f" {' '.join(statement('ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY', schema, name) for name in forced)}"
        )
    total = sum(table.counted for table in found)
    done = 0
    # To read a table, the server looks at its indexes first, and at the service's functions in them.
    look_in(asked, service_path(schema))
    for table in found:
        counted: dict[str, Any] = {"rows": None, "checksum": None}
        if table.counted:
            done += 1
            say(f"counting table {done} of {total}: {table.name}")
            # Without ONLY, rows of tables that inherit from it would be counted twice.
            source = ("" if table.parts else "ONLY ") + quoted(schema, table.name)
            columns = ", ".join(map(quoted, table.columns))
            [counted] = asked.query_template("backup_checksum", dict, table=source, columns=columns)
        yield Table(table.name, table.detail, tuple(table.details), **counted)
    # Names that the catalogs print need their schemas.
    look_in(asked, SEARCH_PATH)


def service_path(schema: str, extensions: Iterable[Extension] = ()) -> str:
    """The search path of the service's own sessions, then the schemas of these extensions.

    An index or a trigger may have been created with such a path: a dump writes `IS DISTINCT FROM` without the schema of
    its operator.
    """
    others = (extension.schema for extension in extensions)
    return ", ".join(map(quoted, dict.fromkeys((schema, PUBLIC, *others))))


def look_in(asked: Session, path: str) -> None:
    """Sets the search path of the session's transaction."""
    asked.execute_file("backup_path", path=path)


def sequences(asked: Session, schema: str) -> Iterator[Sequence]:
    """Each sequence with its current value, which no snapshot holds back."""
    for found in asked.query("backup_sequences", dict, schema=schema):
        [now] = asked.query_template("backup_sequence", dict, sequence=quoted(schema, found["name"]))
        yield Sequence(**found, **now)


def grants(asked: Session, schema: str, owner: str) -> list[Grant]:
    """The privileges of other roles than the owner on the schema, its objects and the owner's large objects."""
    found = []
    for entry in asked.query("acl", Entry):
        if entry.kind == "large object":
            belongs = entry.owner == owner
        else:
            belongs = schema == (entry.name if entry.kind == "schema" else entry.schema)
        if belongs:
            column = f" ({quoted(entry.column)})" if entry.column else ""
            found.append(Grant(f"{entry.kind} {entry.identity}{column}", entry.grantee, entry.right, entry.grantable))
    for default in asked.query("default_acl", Default):
        everywhere = default.schema is None and default.creator == owner
        if default.grantee and default.right and (default.schema == schema or everywhere):
            where = "" if everywhere else f" in {quoted(schema)}"
            on = f"{default.objects} that {default.creator} makes{where}"
            found.append(Grant(on, default.grantee, default.right, default.grantable))
    return sorted(found, key=str)
