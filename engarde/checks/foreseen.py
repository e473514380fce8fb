"""What the catalogs say once things are where some findings' remedies place them.

Rights go with a thing: a new owner needs no grants of its own any more, what the old one had ends, and whoever grants
or takes away does it as the new one. So what follows in the same run is asked of the catalogs as they are then.
"""

from collections.abc import Iterable
from dataclasses import replace

from engarde.output.findings import Finding, Placed
from engarde.server.catalog import Catalog, Definer, Entry, Relation, View

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
    remedies = [finding.remedy for finding in findings]
    placed = [remedy.placed for remedy in remedies if remedy.placed]
    return _Foreseen(
        catalog, placed, {remedy.thing: remedy.by_superuser for remedy in remedies if remedy.placed}
    ).whole()


class _Foreseen:
    def __init__(self, catalog: Catalog, placed: Iterable[Placed], things: dict[str, bool]) -> None:
        self.catalog = catalog
        self.things = things
        self.placed = {(LISTED.get(place.kind, place.kind), place.identity): place for place in placed}
        for sequence, table in catalog.belongs_to.items():
            if found := self.placed.get(("table", table)):
                self.placed["sequence", sequence] = replace(found, kind="sequence", identity=sequence)

    def whole(self) -> Catalog:
        if not self.placed:
            return self.catalog
        catalog, entries = self.catalog, [self._entry(entry) for entry in self.catalog.entries]
        return replace(
            catalog,
            databases={
                name: replace(database, owner=self._owner("database", database.identity, database.owner))
                for name, database in catalog.databases.items()
            },
            schemas={
                name: replace(schema, owner=self._owner("schema", schema.identity, schema.owner))
                for name, schema in catalog.schemas.items()
            },
            relations=tuple(self._relation(relation) for relation in catalog.relations),
            entries=tuple(_merged(entry for entry in entries if entry.grantee != entry.owner)),
            lost=tuple(self._lost()),
            views=tuple(self._view(view) for view in catalog.views),
            definers=tuple(self._definer(function) for function in catalog.definers),
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

    def _relation(self, relation: Relation) -> Relation:
        return replace(
            relation,
            owner=self._owner(relation.kind, relation.identity, relation.owner),
            identity=self._identity(relation.kind, relation.identity),
            schema=self._schema(relation.kind, relation.identity, relation.schema),
            table=self._identity("table", relation.table) if relation.table else None,
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
        had = {
            (entry.kind, entry.identity, entry.grantee, entry.right)
            for entry in self.catalog.entries
            if not entry.column
        }
        lost = []
        for entry in self.catalog.lost:
            then = self._entry(entry)
            if (entry.kind, entry.identity, then.owner, entry.right) not in had:
                lost.append(then)
        return lost

    def _view(self, view: View) -> View:
        return replace(
            view,
            owner=self._owner("table", view.identity, view.owner),
            identity=self._identity("table", view.identity),
            schema=self._schema("table", view.identity, view.schema),
            base=self._identity("table", view.base),
            base_schema=self._schema("table", view.base, view.base_schema),
        )

    def _definer(self, definer: Definer) -> Definer:
        return replace(
            definer,
            owner=self._owner("function", definer.identity, definer.owner),
            identity=self._identity("function", definer.identity),
            schema=self._schema("function", definer.identity, definer.schema),
        )


def _merged(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Two entries that are one now: it may be granted on if one of them might."""
    found: dict[Entry, bool] = {}
    for entry in entries:
        plain = replace(entry, grantable=False)
        found[plain] = found.get(plain, False) or entry.grantable
    return (replace(entry, grantable=True) if grantable else entry for entry, grantable in found.items())
