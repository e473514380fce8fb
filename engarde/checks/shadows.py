"""What has a name of the system's where others' sessions may meet it first."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.checks.admin_capabilities import hands
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.output.findings import Finding, Verb
from engarde.server.catalog import Catalog
from engarde.server.catalog.rows import Shadow
from engarde.server.session import Session

SYSTEM = "pg_catalog"


def findings(stack: DatabaseStack, catalog: Catalog, asked: Session) -> Iterator[Finding]:
    """Functions, operators and relations of others than the admin in `public` or on another role's path."""
    admin, schemas = hands(stack, catalog), sorted(_on_a_path(catalog))
    ahead = sorted(_ahead(catalog))
    for each in asked.rows("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=ahead):
        yield Finding(
            "shadow",
            f"{each.kind} {each.identity}",
            f"no name of {SYSTEM}'s for what is not the admin's or a superuser's",
            f"{each.owner} may change it, and sessions with {each.schema} on their path may meet it instead",
            admin.sql(Verb.END, each.remedy, of=(each.owner,)),
            frozenset({each.schema, each.owner}),
        )


def _on_a_path(catalog: Catalog) -> set[str]:
    """The schemas that are on the path of another role than their owner: `public` is on everybody's."""
    found = {PUBLIC}
    for role, path in _paths(catalog):
        found |= {each for each in path if each in catalog.schemas and catalog.schemas[each].owner != role}
    # `"$user"` is on the path that the server starts with.
    return found | {
        each.name for each in catalog.schemas.values() if each.name in catalog.roles and each.owner != each.name
    }


def _ahead(catalog: Catalog) -> set[str]:
    """Those that some path names before the system's own."""
    return {each for _, path in _paths(catalog) if SYSTEM in path for each in path[: path.index(SYSTEM)]}


def _paths(catalog: Catalog) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    for each in catalog.settings:
        if each.name == "search_path" and (path := split_path(each.value)):
            yield each.role, path
