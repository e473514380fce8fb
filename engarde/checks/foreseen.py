"""What the catalogs say once things are where some findings' remedies place them.

Rights go with a thing: a new owner needs no grants of its own any more, what the old one had ends, and whoever grants
or takes away does it as the new one. So what follows in the same run is asked of the catalogs as they are then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engarde.output.findings import Finding, Placed
from engarde.server.catalog import Catalog
from engarde.server.catalog.rows import Definer, Entry, Relation, View

LISTED = {
    "table": "table",
    "view": "table",
    "materialized view": "table",
    "foreign table": "table",
    "sequence": "sequence",
    "routine": "function",
    "type": "type",
    "domain": "type",
    "large object": "large object",
    "language": "language",
    "foreign data wrapper": "foreign-data wrapper",
    "server": "foreign server",
    "tablespace": "tablespace",
    "schema": "schema",
    "database": "database",
}
"""ALTER's word for a kind -> that of its access lists; the others have none."""


def foreseen(catalog: Catalog, findings: Iterable[Finding]) -> Catalog:
    """The catalogs as they are once these findings are healed, as far as these place things."""
    remedies = [each.remedy for each in findings]
    placed = [each.placed for each in remedies if each.placed]
    return _Foreseen(catalog, placed, {each.thing: each.by_superuser for each in remedies if each.placed}).whole()


class _Foreseen:
    def __init__(self, catalog: Catalog, placed: Iterable[Placed], things: dict[str, bool]) -> None:
        self.catalog = catalog
        self.things = things
        self.placed = {(LISTED.get(each.kind, each.kind), each.identity): each for each in placed}
        for sequence, table in catalog.belongs_to.items():
            if found := self.placed.get(("table", table)):
                self.placed["sequence", sequence] = replace(found, kind="sequence", identity=sequence)

    def whole(self) -> Catalog:
        if not self.placed:
            return self.catalog
        catalog, entries = self.catalog, [self._entry(each) for each in self.catalog.entries]
        return replace(
            catalog,
            databases={
                name: replace(each, owner=self._owner("database", each.identity, each.owner))
                for name, each in catalog.databases.items()
            },
            schemas={
                name: replace(each, owner=self._owner("schema", each.identity, each.owner))
                for name, each in catalog.schemas.items()
            },
            relations=tuple(self._relation(each) for each in catalog.relations),
            entries=tuple(_merged(each for each in entries if each.grantee != each.owner)),
            lost=tuple(self._lost()),
            views=tuple(self._view(each) for each in catalog.views),
            definers=tuple(self._definer(each) for each in catalog.definers),
            placed=self.things,
        )

    def _owner(self, kind: str, identity: str, owner: str) -> str:
        found = self.placed.get((kind, identity))
        return found.owner if found else owner

    def _identity(self, kind: str, identity: str) -> str:
        found = self.placed.get((kind, identity))
        return self.catalog.relocated(identity, found.schema) if found and found.schema else identity

    def _schema(self, kind: str, identity: str, schema: str) -> str:
        found = self.placed.get((kind, identity))
        return (found.schema if found else "") or schema

    def _relation(self, each: Relation) -> Relation:
        return replace(
            each,
            owner=self._owner(each.kind, each.identity, each.owner),
            identity=self._identity(each.kind, each.identity),
            schema=self._schema(each.kind, each.identity, each.schema),
            table=self._identity("table", each.table) if each.table else None,
        )

    def _entry(self, entry: Entry) -> Entry:
        """The new owner takes the old one's place in the whole list."""
        found = self.placed.get((entry.kind, entry.identity))
        if found is None:
            return entry
        return replace(
            entry,
            owner=found.owner,
            grantee=found.owner if entry.grantee == entry.owner else entry.grantee,
            grantor=found.owner if entry.grantor == entry.owner else entry.grantor,
            identity=self._identity(entry.kind, entry.identity),
            schema=self._schema(entry.kind, entry.identity, entry.schema or "") or None,
        )

    def _lost(self) -> list[Entry]:
        had = {(each.kind, each.identity, each.grantee, each.right) for each in self.catalog.entries if not each.column}
        lost = []
        for each in self.catalog.lost:
            then = self._entry(each)
            if (each.kind, each.identity, then.owner, each.right) not in had:
                lost.append(then)
        return lost

    def _view(self, each: View) -> View:
        return replace(
            each,
            owner=self._owner("table", each.identity, each.owner),
            identity=self._identity("table", each.identity),
            schema=self._schema("table", each.identity, each.schema),
            base=self._identity("table", each.base),
            base_schema=self._schema("table", each.base, each.base_schema),
        )

    def _definer(self, each: Definer) -> Definer:
        return replace(
            each,
            owner=self._owner("function", each.identity, each.owner),
            identity=self._identity("function", each.identity),
            schema=self._schema("function", each.identity, each.schema),
        )


def _merged(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Two entries that are one now: it may be granted on if one of them might."""
    found: dict[Entry, bool] = {}
    for each in entries:
        plain = replace(each, grantable=False)
        found[plain] = found.get(plain, False) or each.grantable
    return (replace(each, grantable=True) if grantable else each for each, grantable in found.items())
