"""What of a service would move, by the catalogs alone: no row is read, and no session of the service's is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from engarde.backup.inventory import Edge, Owned
from engarde.backup.rows import FoundSequence, FoundTable, Pinned
from engarde.backup.taking import refuse_absent, surroundings
from engarde.declaration.model import Service
from engarde.declaration.names import VERSION_TABLE
from engarde.server.functions import Extension, refuse_citus
from engarde.server.session import Session
from engarde.split.rows import Source


@dataclass(frozen=True, slots=True)
class Contents:
    """A service's schema, and its large objects."""

    schema: str
    source: Source
    tables: tuple[str, ...]
    forced: tuple[str, ...]
    """the tables with a row security that counts for their owner, too"""
    sequences: int
    kinds: tuple[tuple[str, int], ...]
    """of everything else, by the server's word for it"""
    extensions: tuple[Extension, ...]
    """those that it needs"""
    needs: tuple[Edge, ...]
    """outside of the schema, without extensions"""
    needed_by: tuple[Edge, ...]

    @property
    def version_table(self) -> str | None:
        """Alembic's, where there is one."""
        return VERSION_TABLE if VERSION_TABLE in self.tables else None


def contents(asked: Session, service: Service) -> Contents:
    """What there is now, as the admin sees it.

    :raises Refused: there is no such schema, or it is on several servers.
    """
    schema = service.schema_
    refuse_citus(asked)
    refuse_absent(asked, schema)
    # Names are to be printed with their schemas.
    asked.rows("backup_pinned", Pinned)
    [source] = asked.rows("split_source", Source, schema=schema, role=service.role)
    tables = asked.rows("backup_tables", FoundTable, schema=schema)
    counted = Counter(each.kind for each in asked.rows("backup_contents", Owned, schema=schema))
    around = surroundings(asked, schema)
    return Contents(
        schema,
        source,
        tuple(each.name for each in tables),
        tuple(each.name for each in tables if each.forced),
        len(asked.rows("backup_sequences", FoundSequence, schema=schema)),
        tuple(sorted((kind, count) for kind, count in counted.items() if kind not in ("table", "sequence"))),
        around.extensions,
        around.needs,
        around.needed_by,
    )
