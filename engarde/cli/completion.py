"""Shell completion: names in the stack file, read without Pulumi; none if it cannot be read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from engarde.declaration import stack_file
from engarde.declaration.loader import FOLDER
from engarde.declaration.names import ANALYTICS
from engarde.declaration.resource_names import ADMIN
from engarde.declaration.stack_names import PROJECT, file_name, in_folder
from engarde.errors import EngardeError
from engarde.pulumi_cli.stacks import chosen

Names = Callable[[Mapping[str, Any]], Iterator[str]]
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def stacks(context: click.Context, option: click.Parameter, begun: str) -> list[CompletionItem]:
    before, slash, name = begun.rpartition("/")
    return [CompletionItem(before + slash + known) for known in in_folder(FOLDER) if known.startswith(name)]


def _of_stack(names: Names) -> Complete:
    """Completes the names that `names` finds in the stack file."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        try:
            file = FOLDER / file_name(chosen(context.params.get("stack")))
            config = stack_file.config(file.name, stack_file.document(file))
            given = context.params.get(parameter.name or "") or ()
            return [CompletionItem(name) for name in names(config) if name.startswith(begun) and name not in given]
        except (EngardeError, OSError):
            return []

    return complete


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(f"{PROJECT}:{name}")
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _services(config: Mapping[str, Any]) -> Iterator[str]:
    yield from _section(config, "services")


def _receivers(config: Mapping[str, Any]) -> Iterator[str]:
    yield from _services(config)
    if f"{PROJECT}:{ANALYTICS}" in config:
        yield ANALYTICS


def _logins(config: Mapping[str, Any]) -> Iterator[str]:
    yield from _receivers(config)
    yield ADMIN


def _databases(config: Mapping[str, Any]) -> Iterator[str]:
    own = (service.get("database") for service in _section(config, "services").values() if isinstance(service, dict))
    yield from dict.fromkeys(
        str(name) for name in (_section(config, "server").get("database"), *own, *_section(config, "databases")) if name
    )


services, receivers, logins, databases = map(_of_stack, (_services, _receivers, _logins, _databases))
"""Services; with analytics; with the admin, too; and databases."""
