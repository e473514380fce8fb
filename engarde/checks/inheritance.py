"""Partitions and inheriting tables outside of the schema of what they are part of: whose they are has the rows."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding, Placed, Verb
from engarde.util.quoting import quoted


@check(
    Question(
        "inheritance",
        "partitions and inheriting tables in another schema than what they are part of",
        "sql",
        "`SET SCHEMA`, or what parts them",
    ),
    group="isolation",
    stage=Stage.PLACING,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each with what brings it back, or parts it from what it is part of."""
    services, catalog = {service.schema_ for service in stack.services}, observed.catalog
    for part in catalog.inherits:
        if not services & {part.child_schema, part.parent_schema}:
            continue
        verb, placed, thing = Verb.END, None, ""
        if part.child_owner == part.parent_owner:
            heal = f"ALTER TABLE {part.child} SET SCHEMA {quoted(part.parent_schema)}"
            verb, thing = Verb.PLACE, catalog.relocated(part.child, part.parent_schema)
            placed = Placed("table", part.child, part.child_owner, part.parent_schema)
        elif part.partition:
            heal = f"ALTER TABLE {part.parent} DETACH PARTITION {part.child}"
        else:
            heal = f"ALTER TABLE {part.child} NO INHERIT {part.parent}"
        yield Finding(
            "inheritance",
            f"table {part.child}",
            f"in {part.parent_schema}, as a part of {part.parent}",
            f"in {part.child_schema}, and {part.child_owner}'s",
            observed.admin.sql(verb, heal, of=(part.child_owner, part.parent_owner), placed=placed, thing=thing),
            frozenset({part.child_schema, part.parent_schema, part.child_owner, part.parent_owner}),
        )
