"""What the checks find in catalogs that a test makes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engarde.checks import registry
from engarde.checks.observed import Observed
from engarde.declaration.model import DatabaseStack
from engarde.errors import Unreachable
from engarde.output.findings import Finding
from engarde.server.catalog import Catalog
from engarde.server.session import Session


def observed(stack: DatabaseStack, placed: Sequence[Finding] = (), **known: Any) -> Observed:
    """What is known, and nothing else: no server is asked."""

    def nobody() -> Session:
        raise Unreachable("no server")

    made = Observed(stack, nobody)
    made.__dict__.update(known)
    made.placed = tuple(placed)
    return made


def found(stack: DatabaseStack, catalog: Catalog, *questions: str, placed: Sequence[Finding] = ()) -> list[Finding]:
    """The findings of these questions."""
    return registry.findings(stack, observed(stack, placed, catalog=catalog), *questions)
