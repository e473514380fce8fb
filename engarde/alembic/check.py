"""Says what of a service's Alembic project would not work, or would reach into other schemas."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from engarde.alembic import rules_configure, rules_models, rules_urls, template
from engarde.alembic.context import Context
from engarde.alembic.environment import environment
from engarde.alembic.project import project, words_of
from engarde.alembic.running import recorded
from engarde.alembic.scripts import graph
from engarde.alembic.source import Modules, source
from engarde.declaration.model import Service, Stack
from engarde.errors import ConfigError
from engarde.output.findings import Finding

Rule = Callable[[Context], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *(rules_configure.ran, rules_configure.configured, rules_configure.version_table, rules_configure.filtered),
    *(rules_configure.shows_no_others, rules_configure.set_rightly, rules_configure.offline),
    *(rules_configure.makes_no_schema, rules_configure.commits),
    *(rules_models.schemas, rules_models.foreign_keys),
    *(rules_urls.from_environment, rules_urls.written_out, rules_urls.doubled, rules_urls.variable),
    *(rules_urls.direct, rules_urls.driver_fits, rules_urls.asynchronous),
    *(rules_configure.several, rules_configure.arguments, rules_models.heads),
)
RULES_OF_FLASK: tuple[Rule, ...] = (rules_configure.of_flask, rules_models.heads)


def check(stack: Stack, service: Service, path: Path | str, *, run: bool = False) -> tuple[Finding, ...]:
    """What each rule finds in the project at this path; what its text does not tell is a finding of its own.

    :param run: its env.py is run, too, in the service's own interpreter and without a database; else none of it is.
    :raises ConfigError: there is no Alembic project, or a file of it does not parse.
    :raises Refused: it could not be run.
    """
    found = project(path, words_of(service))
    history = graph(found)
    if not found.env.is_file():
        raise ConfigError(f"{found.env}: no such file")
    env = source(found.env, Modules(found.sources))
    ours = template.functions(service)
    names = [name for name, function in env.functions.items() if ast.dump(function) in ours]
    facts = environment(env, names)
    context = Context(stack, service, found, history, facts, rules_models.models(env))
    if run and not found.flask:
        context = recorded(context)
    rules = RULES_OF_FLASK if found.flask else RULES
    return tuple(dict.fromkeys(finding for rule in rules for finding in rule(context)))
