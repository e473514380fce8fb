"""What the services' own migration scripts prove about revisions."""

from __future__ import annotations

from collections.abc import Mapping

from engarde.alembic.scripts import Graph, graph, project
from engarde.engine import FOLDER
from engarde.errors import ConfigError
from engarde.model import Stack


def histories(stack: Stack) -> Mapping[str, Graph]:
    """Each service's history by its name; without those that are not on this machine or cannot be read."""
    found = {}
    for service in stack.services:
        if service.migrations:
            try:
                found[service.name] = graph(project(FOLDER / service.migrations.path))
            except ConfigError:
                continue
    return found
