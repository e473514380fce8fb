"""What has a name of the system's where others' sessions may meet it first."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.output.findings import Finding, Verb
from engarde.server.catalog import Catalog

SYSTEM = "pg_catalog"


@check(
    Question(
        "shadow",
        "in `public`, or in a schema on another role's path: functions, operators and relations that have a name of"
        " `pg_catalog` and are not the admin's",
        "sql",
        "it is dropped or renamed, which somebody has to decide",
    ),
    group="isolation",
    stage=Stage.CODE,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Functions, operators and relations of others than the admin in `public` or on another role's path."""
    catalog = observed.catalog
    for shadow in observed.shadows(sorted(_on_a_path(catalog)), sorted(_ahead(catalog))):
        # What goes to its service's schema shadows nothing any more.
        if shadow.identity in observed.moved:
            continue
        yield Finding(
            "shadow",
            f"{shadow.kind} {shadow.identity}",
            f"no name of {SYSTEM}'s for what is not the admin's or a superuser's",
            f"{shadow.owner} may change it, and sessions with {shadow.schema} on their path may meet it instead",
            observed.admin.sql(Verb.END, shadow.remedy, of=(shadow.owner,)),
            frozenset({shadow.schema, shadow.owner}),
        )


def _on_a_path(catalog: Catalog) -> set[str]:
    """The schemas that are on the path of another role than their owner: `public` is on everybody's."""
    found = {PUBLIC}
    for role, path in _paths(catalog):
        found |= {name for name in path if name in catalog.schemas and catalog.schemas[name].owner != role}
    # `"$user"` is on the path that the server starts with.
    return found | {
        schema.name
        for schema in catalog.schemas.values()
        if schema.name in catalog.roles and schema.owner != schema.name
    }


def _ahead(catalog: Catalog) -> set[str]:
    """Those that some path names before the system's own."""
    return {name for _, path in _paths(catalog) if SYSTEM in path for name in path[: path.index(SYSTEM)]}


def _paths(catalog: Catalog) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    for setting in catalog.settings:
        if setting.name == "search_path" and (path := split_path(setting.value)):
            yield setting.role, path
