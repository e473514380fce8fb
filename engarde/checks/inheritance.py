"""Partitions and inheriting tables outside of the schema of what they are part of: whose they are has the rows."""

from __future__ import annotations

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
    for each in catalog.inherits:
        if not services & {each.child_schema, each.parent_schema}:
            continue
        verb, placed, thing = Verb.END, None, ""
        if each.child_owner == each.parent_owner:
            heal = f"ALTER TABLE {each.child} SET SCHEMA {quoted(each.parent_schema)}"
            verb, thing = Verb.PLACE, catalog.relocated(each.child, each.parent_schema)
            placed = Placed("table", each.child, each.child_owner, each.parent_schema)
        elif each.partition:
            heal = f"ALTER TABLE {each.parent} DETACH PARTITION {each.child}"
        else:
            heal = f"ALTER TABLE {each.child} NO INHERIT {each.parent}"
        yield Finding(
            "inheritance",
            f"table {each.child}",
            f"in {each.parent_schema}, as a part of {each.parent}",
            f"in {each.child_schema}, and {each.child_owner}'s",
            observed.admin.sql(verb, heal, of=(each.child_owner, each.parent_owner), placed=placed, thing=thing),
            frozenset({each.child_schema, each.parent_schema, each.child_owner, each.parent_owner}),
        )
