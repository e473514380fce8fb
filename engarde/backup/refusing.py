"""What has to be right before a backup is restored: asked before anything is touched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from engarde.backup.inventory import Edge, Owned
from engarde.backup.manifest import Manifest
from engarde.backup.rows import Number, Pinned, SidedEdge
from engarde.backup.taking import refuse_absent
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.server.functions import Extension
from engarde.server.session import Session
from engarde.util.visible import visible

SHOWN = 10
"""How many tables are named."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a schema and its role hold, and would lose."""

    owned: tuple[Owned, ...]
    large_objects: int

    def __str__(self) -> str:
        counted = Counter(each.kind for each in self.owned)
        counted["large object"] = self.large_objects
        parts = [f"{count} {_several(kind) if count > 1 else kind}" for kind, count in counted.most_common() if count]
        tables = [each.name for each in self.owned if each.kind == "table"]
        if tables:
            more = [f"{len(tables) - SHOWN} more"] if len(tables) > SHOWN else []
            parts.append(f"the tables are {', '.join([*map(visible, tables[:SHOWN]), *more])}")
        return ", ".join(parts)

    @property
    def anything(self) -> bool:
        """Whether there is anything to lose."""
        return bool(self.owned or self.large_objects)


def _several(kind: str) -> str:
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return kind + ("es" if kind.endswith(("s", "x")) else "s")


def refuse_other(service: Service, found: Manifest) -> None:
    """Every name in a dump has its schema before it.

    :raises Refused: it is another schema's.
    """
    if found.inventory.schema != service.schema_:
        raise Refused(
            f"this is a backup of schema {found.inventory.schema} (service {found.service} of stack {found.stack}),"
            f" and {service.name}'s schema is {service.schema_}"
        )


def held(asked: Session, service: Service, found: Manifest, *, replace: bool) -> Held:
    """What is there now, on a server that can take the backup.

    :raises Refused: it cannot, or holds data that may not be replaced, or that somebody else needs.
    """
    [where] = asked.rows("backup_pinned", Pinned)
    numbers = asked.rows("backup_numbers", Number, numbers=[each.number for each in found.inventory.large_objects])
    if faults := [
        *_of_server(where, found),
        *_of_schema(asked, service),
        *_of_surroundings(asked, found),
        *(f"large object {each.number} of the backup is {each.owner}'s here" for each in numbers if not each.own),
    ]:
        raise Refused(_listed(f"this backup cannot be restored to {service.name}; nothing was changed", faults))
    now = Held(tuple(asked.rows("backup_contents", Owned, schema=service.schema_)), sum(each.own for each in numbers))
    if now.anything and not replace:
        raise Refused(
            f"schema {service.schema_} holds data: {now}. Nothing was changed. --yes-replace-data replaces it, and"
            f" `bin/engarde backup {service.name}` keeps a copy before"
        )
    edges = asked.rows("backup_edges", SidedEdge, schema=service.schema_)
    if needing := [str(Edge(each.kind, each.name)) for each in edges if each.side == "needed by"]:
        raise Refused(
            _listed(
                f"outside of schema {service.schema_} this needs what is in it, and would be dropped with it; nothing"
                " was changed. Drop it yourself, and make it again afterwards",
                needing,
            )
        )
    return now


def _listed(sentence: str, faults: list[str]) -> str:
    return f"{sentence}:\n" + "\n".join(f"  {visible(each)}" for each in faults)


def _of_server(where: Pinned, found: Manifest) -> Iterator[str]:
    source = found.inventory.server
    if where.server // 10_000 < source.major:
        yield f"the server is PostgreSQL {where.version}, older than the {source.version} that the backup is of"
    if where.encoding != source.encoding:
        yield f"database {where.database} is in {where.encoding}, and the backup in {source.encoding}"


def _of_schema(asked: Session, service: Service) -> Iterator[str]:
    owner = refuse_absent(asked, service.schema_).owner
    if owner != service.role:
        yield f"schema {service.schema_} belongs to {owner} instead of {service.role}; `bin/pulumi up` heals it"


def _of_surroundings(asked: Session, found: Manifest) -> Iterator[str]:
    there = {each.name: each for each in asked.rows("backup_extensions", Extension)}
    for each in found.inventory.extensions:
        if each.name not in there:
            yield (
                f"extension {each.name} is not in the database: declare it under engarde:extensions"
                f" (schema {each.schema}), then `bin/pulumi up`"
            )
        elif there[each.name].schema != each.schema:
            yield f"extension {each.name} is in schema {there[each.name].schema} here, and was in {each.schema}"
    needs = json.dumps([asdict(each) for each in found.inventory.needs])
    for missing in asked.rows("backup_missing", Edge, needs=needs):
        yield f"{missing} is not here, and the backup needs it"
