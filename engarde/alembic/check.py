"""Says what of a service's Alembic project would not work, or would reach into other schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from engarde.alembic.command import USUAL
from engarde.alembic.environment import environment
from engarde.alembic.models import models
from engarde.alembic.paths import paths
from engarde.alembic.project import project
from engarde.alembic.reader import Reader
from engarde.alembic.rules_of_configure import configured, filtered, version_table
from engarde.alembic.rules_of_engines import asynchronous, commits, driver_fits
from engarde.alembic.rules_of_keys import foreign_keys
from engarde.alembic.rules_of_layouts import arguments, of_flask, several
from engarde.alembic.rules_of_models import heads, schemas
from engarde.alembic.rules_of_paths import makes_no_schema, offline, set_rightly, shows_no_others
from engarde.alembic.rules_of_urls import direct, doubled, from_environment, variable, written_out
from engarde.alembic.scripts import graph
from engarde.alembic.seen import Seen
from engarde.alembic.source import source
from engarde.declaration.model import Service, Stack
from engarde.errors import ConfigError
from engarde.output.findings import Finding

Rule = Callable[[Seen], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    configured,
    version_table,
    filtered,
    shows_no_others,
    set_rightly,
    offline,
    makes_no_schema,
    commits,
    schemas,
    foreign_keys,
    from_environment,
    written_out,
    doubled,
    variable,
    direct,
    driver_fits,
    asynchronous,
    several,
    arguments,
    heads,
)
RULES_OF_FLASK: tuple[Rule, ...] = (of_flask, heads)


def check(stack: Stack, service: Service, path: Path | str) -> tuple[Finding, ...]:
    """What each rule finds in the project at this path, without running any of it.

    :raises ConfigError: there is no Alembic project, or a file of it does not parse.
    """
    found = project(path, service.migrations.command if service.migrations else USUAL)
    history = graph(found)
    if not found.env.is_file():
        raise ConfigError(f"{found.env}: no such file")
    reader = Reader(found.sources)
    env = source(found.env, found.sources)
    named = models(env, reader)
    reader.metadata_schema = named.default
    facts = environment(env, reader)
    seen = Seen(stack, service, found, history, facts, named, tuple(paths(facts)))
    rules = RULES_OF_FLASK if found.flask else RULES
    return tuple(dict.fromkeys(finding for rule in rules for finding in rule(seen)))
