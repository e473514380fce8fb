"""Reads the inventory of a schema from a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engarde.backup.inventory import Edge, Grant, Inventory, LargeObject, Owned, Sequence, Server, Table, Thing
from engarde.backup.rows import Counted, FoundSequence, FoundTable, Path, Pinned, Reached, Schema, SidedEdge
from engarde.declaration.names import PUBLIC
from engarde.errors import Refused
from engarde.server.catalog.rows import Default, Entry
from engarde.server.functions import Extension
from engarde.server.session import SEARCH_PATH, Session
from engarde.util.quoting import quoted, statement
from engarde.util.visible import visible

Say = Callable[[str], None]


def taken(asked: Session, schema: str, say: Say) -> Inventory:
    """All that is in a schema in this session's snapshot; from then on the session prints values in one way."""
    [where] = asked.rows("backup_pinned", Pinned)
    owner = refuse_absent(asked, schema).owner
    around = surroundings(asked, schema)
    return Inventory(
        server=Server(where.version, where.server // 10_000, where.encoding, where.database),
        schema=schema,
        owner=owner,
        tables=tuple(_tables(asked, schema, say)),
        sequences=tuple(sequences(asked, schema)),
        things=tuple(asked.rows("backup_things", Thing, schema=schema)),
        owned=tuple(asked.rows("backup_contents", Owned, schema=schema)),
        grants=tuple(grants(asked, schema, owner)),
        large_objects=tuple(asked.rows("backup_large_objects", LargeObject, role=owner)),
        extensions=around.extensions,
        needs=around.needs,
        needed_by=around.needed_by,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is outside of a schema and has to do with it."""

    extensions: tuple[Extension, ...]
    """those that it needs"""
    needs: tuple[Edge, ...]
    """without extensions"""
    needed_by: tuple[Edge, ...]


def surroundings(asked: Session, schema: str) -> Surroundings:
    """What there is now; the session prints names with their schemas."""
    edges = asked.rows("backup_edges", SidedEdge, schema=schema)
    used = {each.name for each in edges if each.side == "needs" and each.kind == "extension"}
    return Surroundings(
        tuple(each for each in asked.rows("backup_extensions", Extension) if each.name in used),
        tuple(Edge(e.kind, e.name) for e in edges if e.side == "needs" and e.kind != "extension"),
        tuple(Edge(e.kind, e.name) for e in edges if e.side != "needs"),
    )


def refuse_absent(asked: Session, schema: str) -> Schema:
    """The schema.

    :raises Refused: there is none of that name.
    """
    found = asked.rows("backup_schema", Schema, schema=schema)
    if not found:
        raise Refused(f"there is no schema {schema} there; `bin/pulumi up` makes it")
    return found[0]


def _tables(asked: Session, schema: str, say: Say) -> Iterator[Table]:
    found = asked.rows("backup_tables", FoundTable, schema=schema)
    if unreadable := [each.name for each in found if not each.readable]:
        raise Refused(
            f"{schema}: its owner may not read {', '.join(map(visible, unreadable))}; `bin/engarde verify` names whose"
            " they are and what heals it"
        )
    if forced := [each.name for each in found if each.forced]:
        raise Refused(
            f"{schema}: row security is forced on {', '.join(map(visible, forced))}, so that its owner does not see"
            " every row, and a copy would lack the others. Take FORCE off for the time being:"
            f" {' '.join(statement('ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY', schema, each) for each in forced)}"
        )
    total = sum(each.counted for each in found)
    done = 0
    # Whoever reads a table looks at its indexes first, and at the service's functions in them.
    path(asked, service_path(schema))
    for each in found:
        counted = None
        if each.counted:
            done += 1
            say(f"counting table {done} of {total}: {each.name}")
            # Without ONLY, what inherits from it would be counted twice.
            table = ("" if each.parts else "ONLY ") + quoted(schema, each.name)
            columns = ", ".join(map(quoted, each.columns))
            [counted] = asked.filled("backup_checksum", Counted, table=table, columns=columns)
        yield Table(
            each.name,
            each.detail,
            tuple(each.details),
            counted.rows if counted else None,
            counted.checksum if counted else None,
        )
    # What the catalogs print has to name schemas.
    path(asked, SEARCH_PATH)


def service_path(schema: str, extensions: Iterable[Extension] = ()) -> str:
    """Where the service's own sessions look for names, and then where these extensions are.

    Whoever made an index or a trigger may have looked there, too: a dump writes `IS DISTINCT FROM` without the schema
    of its operator.
    """
    others = dict.fromkeys(each.schema for each in extensions)
    return ", ".join(quoted(each) for each in dict.fromkeys((schema, PUBLIC, *others)))


def path(asked: Session, wanted: str) -> None:
    """Makes the session's transaction look for names there."""
    asked.rows("backup_path", Path, path=wanted)


def sequences(asked: Session, schema: str) -> Iterator[Sequence]:
    """Each sequence and where it is now, whatever the session's snapshot."""
    for each in asked.rows("backup_sequences", FoundSequence, schema=schema):
        [now] = asked.filled("backup_sequence", Reached, sequence=quoted(schema, each.name))
        yield Sequence(each.name, each.owner, each.detail, now.last, now.called)


def grants(asked: Session, schema: str, owner: str) -> list[Grant]:
    """What others than the owner may do with what is in the schema, and with the owner's large objects."""
    return sorted(_grants(asked, schema, owner), key=str)


def _grants(asked: Session, schema: str, owner: str) -> Iterator[Grant]:
    for entry in asked.rows("acl", Entry):
        if _belongs(entry, schema, owner):
            column = f" ({quoted(entry.column)})" if entry.column else ""
            yield Grant(f"{entry.kind} {entry.identity}{column}", entry.grantee, entry.right, entry.grantable)
    for each in asked.rows("default_acl", Default):
        everywhere = each.schema is None and each.creator == owner
        if each.grantee and each.right and (each.schema == schema or everywhere):
            where = "" if everywhere else f" in {quoted(schema)}"
            yield Grant(f"{each.objects} that {each.creator} makes{where}", each.grantee, each.right, each.grantable)


def _belongs(entry: Entry, schema: str, owner: str) -> bool:
    if entry.kind == "schema":
        return entry.name == schema
    if entry.kind == "large object":
        return entry.owner == owner
    return entry.schema == schema
