"""Objects that are another's in a service's schema, and a service's that lie outside of it."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.owners import misplaced
from engarde.checks.placement import Place, place
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import VERSION_TABLE
from engarde.output.findings import Finding
from engarde.server.catalog.rows import Owned


@check(
    Question("owner", "objects that are another's in a service's schema", "sql", "`OWNER TO`", safe=True),
    Question("place", "a service's objects outside of its schema", "sql", "`SET SCHEMA`"),
    group="objects",
    stage=Stage.OBJECTS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each object whose owner and schema do not belong together; what is Alembic's is told by its own check."""
    at_home = {service.schema_ for service in stack.services}
    services, catalog = {service.role for service in stack.services}, observed.catalog
    for owned in misplaced(stack, catalog):
        if owned.name == VERSION_TABLE and owned.owner in services:
            continue
        there = place(stack, catalog, observed.admin, owned)
        # What a role or a schema that is not there yet is to have can be given to it once it is.
        known = there.owner in catalog.roles and (not there.schema or there.schema in catalog.schemas)
        if known and (owned.schema in at_home or (owned.schema and owned.owner in services)):
            yield _finding(owned, there)


def _finding(owned: Owned, there: Place) -> Finding:
    return Finding(
        "place" if there.schema else "owner",
        f"{owned.kind} {owned.identity}",
        f"in schema {there.schema}, for it is {there.owner}'s" if there.schema else there.owner,
        f"in schema {owned.schema}" if there.schema else owned.owner,
        there.remedy,
        frozenset({owned.owner, owned.schema, there.owner, there.schema} - {""}),
    )
