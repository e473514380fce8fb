"""Finds what in a service's Alembic project would not work, or would reach into other schemas."""

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
from engarde.declaration.validation import ValidationFault
from engarde.declaration.validation import check as validated
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
RULES_OF_STACK = (rules_models.foreign_keys, rules_urls.variable, rules_urls.direct, rules_urls.driver_fits)
"""Rules that need the stack file."""

NOT_CHECKED = {
    "foreign key": "whether foreign keys into other schemas are declared",
    "metadata schema": "whether models of other schemas are declared reads, if autogenerate does not compare them",
    "variable": "whether the URL is in the variable that the stack delivers",
    "pooler": "whether the URL in that variable bypasses a pooler",
    "driver": "whether the form of that URL fits the engine and its arguments",
    "search_path": "whether a schema after the service's own belongs to an extension",
}
"""What these kinds of findings leave out without a stack file."""


def undeclared(name: str, schema: str | None, role: str | None) -> Service:
    """A service that is known only by its names, with a stack file's defaults for schema and role.

    :raises ConfigError: a name that no stack file may have.
    """
    faults: list[ValidationFault] = []
    told: dict[str, object] = {"name": name, "schema": schema or name, **({"role": role} if role else {})}
    service = validated(Service, told, "-", faults)
    if faults or service is None:
        raise ConfigError("; ".join(str(fault).replace("-.", "--", 1) for fault in faults))
    return service


def check(stack: Stack | None, service: Service, path: Path | str, *, run: bool = False) -> tuple[Finding, ...]:
    """What the rules find in the project at this path; what its text does not show is a finding of its own.

    :param stack: None if there is no stack file; `NOT_CHECKED` says what is not checked then.
    :param run: also run its env.py, in the service's own interpreter and without a database; otherwise nothing runs.
    :raises ConfigError: there is no Alembic project, or a file of it does not parse.
    :raises Refused: env.py could not be run.
    """
    found = project(path, words_of(service))
    history = graph(found)
    if not found.env.is_file():
        raise ConfigError(f"{found.env}: no such file")
    env = source(found.env, Modules(found.sources))
    ours = template.functions(service)
    names = [name for name, function in env.functions.items() if template.deeds(function) in ours]
    facts = environment(env, names)
    context = Context(stack, service, found, history, facts, rules_models.models(env))
    if run and not found.flask:
        context = recorded(context)
    rules = RULES_OF_FLASK if found.flask else RULES
    asked = rules if stack else [rule for rule in rules if rule not in RULES_OF_STACK]
    return tuple(dict.fromkeys(finding for rule in asked for finding in rule(context)))
