"""Roles that get in because everybody may, which ends with the first run."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.edits import lines
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen, Visitor
from engarde.privileges import CONNECT, TEMPORARY, USAGE

CREATE = "CREATE"


def check(seen: Seen) -> Iterator[Finding]:
    """Each role that uses the database, and that nobody has declared."""
    stack = seen.stack
    # Only the shared database lets in roles from outside of the stack.
    if stack.label:
        return
    known = {stack.server.user, *stack.roles, *(role.name for role in stack.outside_roles)}
    for visitor in seen.visitors:
        if visitor.name not in known:
            uses = f"{visitor.sessions} sessions now, {visitor.owned} objects of its own"
            yield Finding(
                "outside role",
                visitor.name,
                "declared, for PUBLIC loses CONNECT with the next run",
                f"connects as everybody may: {uses}",
                Remedy("edit", lines("outsideRoles", {visitor.name: _kept(visitor)})),
                frozenset({visitor.name}),
            )


def _kept(visitor: Visitor) -> dict[str, object] | None:
    """All that it has today, for what is not stated is taken from it."""
    entry: dict[str, object] = {}
    if CREATE in visitor.on_database:
        entry["database"] = [CONNECT, TEMPORARY, CREATE]
    schemas = {schema: [USAGE] for schema in visitor.uses}
    for schema in visitor.creates:
        schemas[schema] = [USAGE, CREATE]
    if schemas:
        entry["schemas"] = schemas
    return entry or None
