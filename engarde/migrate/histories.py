"""Reads the services' own migration scripts."""

from __future__ import annotations

from engarde.alembic.scripts import graph, project
from engarde.checks.histories import Histories
from engarde.declaration.model import DatabaseStack
from engarde.errors import ConfigError
from engarde.pulumi_cli.process import FOLDER


def histories(stack: DatabaseStack) -> Histories:
    """Those of the services in the stack's database, as far as they can be read."""
    found = {}
    for service in stack.services:
        if service.migrations:
            try:
                found[service.name] = graph(project(FOLDER / service.migrations.path, service.migrations.command))
            except ConfigError:
                continue
    return Histories(stack, found)
