"""The catalogs as they will be once the remedies of some findings have moved objects or changed their owners.

Privileges depend on the owner: a new owner needs no grants, the old owner loses its own privileges, and grants are then
made as the new owner. So later checks of the same run read the catalogs as they will be then.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from engarde.output.findings import Finding, Placed, Remedy
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
"""ALTER's word for a kind -> the word in the access lists; other kinds have no access list."""


Thing = TypeVar("Thing", Relation, View, Definer)


def foreseen(catalog: Catalog, findings: Iterable[Finding]) -> Catalog:
    """The catalogs as they will be once the remedies of these findings have moved objects or changed their owners."""
    return _Foreseen(catalog, [finding.remedy for finding in findings]).whole()


class _Foreseen:
    def __init__(self, catalog: Catalog, remedies: Iterable[Remedy]) -> None:
        self.catalog = catalog
        self.things: dict[str, bool] = {}
        self.placed: dict[tuple[str, str], Placed] = {}
        for remedy in remedies:
            if place := remedy.placed:
                self.things[remedy.thing] = remedy.by_superuser
                self.placed[LISTED.get(place.kind, place.kind), place.identity] = place
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
            definers=tuple(self._then("function", function) for function in catalog.definers),
            placed=self.things,
        )

    def _owner(self, kind: str, identity: str, owner: str) -> str:
        found = self.placed.get((kind, identity))
        return found.owner if found else owner

    def _identity(self, kind: str, identity: str) -> str:
        found = self.placed.get((kind, identity))
        return self.catalog.relocated(identity, found.schema) if found and found.schema else identity

    def _then(self, kind: str, thing: Thing) -> Thing:
        """The same thing, with its owner, its name and its schema as they will be then."""
        found = self.placed.get((kind, thing.identity))
        if found is None:
            return thing
        identity, schema = self._identity(kind, thing.identity), found.schema or thing.schema
        return replace(thing, owner=found.owner, identity=identity, schema=schema)

    def _relation(self, relation: Relation) -> Relation:
        table = self._identity("table", relation.table) if relation.table else None
        return replace(self._then(relation.kind, relation), table=table)

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
            schema=found.schema or entry.schema or None,
        )

    def _lost(self) -> list[Entry]:
        whole = (entry for entry in self.catalog.entries if not entry.column)
        had = {(entry.kind, entry.identity, entry.grantee, entry.right) for entry in whole}
        lost = ((entry, self._entry(entry)) for entry in self.catalog.lost)
        return [then for entry, then in lost if (entry.kind, entry.identity, then.owner, entry.right) not in had]

    def _view(self, view: View) -> View:
        found = self.placed.get(("table", view.base))
        base_schema = (found.schema if found else "") or view.base_schema
        return replace(self._then("table", view), base=self._identity("table", view.base), base_schema=base_schema)


def _merged(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Merges equal entries: the result has the grant option if one of them had it."""
    found: dict[Entry, bool] = {}
    for entry in entries:
        plain = replace(entry, grantable=False)
        found[plain] = found.get(plain, False) or entry.grantable
    return (replace(entry, grantable=True) if grantable else entry for entry, grantable in found.items())
