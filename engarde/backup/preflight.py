"""What has to be right before a backup is restored: asked before anything is touched."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from engarde.backup.inspect import needed_by, owner_of
from engarde.backup.inventory import Edge, Inventory, Owned, Server
from engarde.backup.manifest import Manifest
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.server.functions import Extension
from engarde.server.session import Session
from engarde.util.terminal import first_few, indented, visible

SHOWN = 10
"""How many tables are named."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a schema and its role hold, and would lose."""

    owned: tuple[Owned, ...]
    large_objects: int

    def __str__(self) -> str:
        counted = Counter(item.kind for item in self.owned)
        counted["large object"] = self.large_objects
        parts = [f"{count} {_several(kind) if count > 1 else kind}" for kind, count in counted.most_common() if count]
        if tables := [visible(item.name) for item in self.owned if item.kind == "table"]:
            parts.append(f"the tables are {first_few(tables, SHOWN, last=', ')}")
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
    wanted = found.inventory
    [here] = asked.query("backup_pinned", Server)
    numbers = [item.number for item in wanted.large_objects]
    taken = asked.query("backup_numbers", dict, numbers=numbers)
    faults = [*_faults(asked, here, service, wanted)]
    faults += [
        f"large object {one['number']} of the backup is {one['owner']}'s here" for one in taken if not one["own"]
    ]
    if faults:
        raise Refused(
            f"this backup cannot be restored to {service.name}; nothing was changed:\n{indented(map(visible, faults))}"
        )
    owned = asked.query("backup_contents", Owned, schema=service.schema_)
    now = Held(tuple(owned), sum(one["own"] for one in taken))
    if now.anything and not replace:
        raise Refused(
            f"schema {service.schema_} holds data: {now}. Nothing was changed. --yes-replace-data replaces it, and"
            f" `bin/engarde backup {service.name}` keeps a copy before"
        )
    if needing := [visible(str(edge)) for edge in needed_by(asked, service.schema_)]:
        raise Refused(
            f"outside of schema {service.schema_} this needs what is in it, and would be dropped with it; nothing was"
            f" changed. Drop it yourself, and make it again afterwards:\n{indented(needing)}"
        )
    return now


def _faults(asked: Session, here: Server, service: Service, wanted: Inventory) -> Iterator[str]:
    source, owner = wanted.server, owner_of(asked, service.schema_)
    if here.major < source.major:
        yield f"the server is PostgreSQL {here.version}, older than the {source.version} that the backup is of"
    if here.encoding != source.encoding:
        yield f"database {here.database} is in {here.encoding}, and the backup in {source.encoding}"
    if owner != service.role:
        yield f"schema {service.schema_} belongs to {owner} instead of {service.role}; `bin/pulumi up` heals it"
    there = {extension.name: extension.schema for extension in asked.query("backup_extensions", Extension)}
    for extension in wanted.extensions:
        name, schema = extension.name, extension.schema
        if name not in there:
            yield (
                f"extension {name} is not in the database: declare it under engarde:extensions (schema {schema}), then"
                " `bin/pulumi up`"
            )
        elif there[name] != schema:
            yield f"extension {name} is in schema {there[name]} here, and was in {schema}"
    for missing in asked.query("backup_missing", Edge, needs=json.dumps(list(map(asdict, wanted.needs)))):
        yield f"{missing} is not here, and the backup needs it"
